import { refuseUnknownKeys, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, orDefault } from '../initializer.js'

export interface NormalConfig {
  /** Default 0. */
  readonly mean?: number
  /** Standard deviation, >= 0; 0 is the constant `mean`. Default 1. */
  readonly std?: number
}

/** N(mean, std^2), PyTorch's normal_. |value - mean| <= 6.77 std. */
export class NormalInitializer extends Initializer {
  readonly name: string = 'normal'
  readonly mean: number
  readonly std: number

  /** @throws WeightInitError `INVALID_CONFIG` for a std that is negative or not finite, or an unknown key */
  constructor(config: NormalConfig = {}) {
    super()
    refuseUnknownKeys(config, ['mean', 'std'], 'normal config', 'INVALID_CONFIG')
    this.mean = finiteNumber(orDefault(config.mean, 0), 'mean', 'normal')
    const std = orDefault(config.std, 1)
    if (typeof std === 'number' && !(std >= 0)) {
      throw new WeightInitError('INVALID_CONFIG', `normal expects std >= 0.0, but found std ${std}.`)
    }
    this.std = finiteNumber(std, 'std', 'normal')
  }

  get config(): Readonly<Record<string, unknown>> {
    return { mean: this.mean, std: this.std }
  }

  distribution(): Distribution {
    return { kind: 'normal', mean: this.mean, std: this.std }
  }
}

/** N(0, 1). */
export const normal: NormalInitializer = /* @__PURE__ */ new NormalInitializer()
