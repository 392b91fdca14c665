import { refuseUnknownKeys } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { centred, finiteNumber, Initializer, type InitializerContext, oneOf, orDefault } from '../initializer.js'

export interface XavierConfig {
  /** Default 1; see `calculateGain`. */
  readonly gain?: number
  /** Default 'uniform'. */
  readonly distribution?: 'uniform' | 'normal'
}

/**
 * Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010;
 * PyTorch's xavier_uniform_ and xavier_normal_, float64-equal.
 * std = gain sqrt(2 / (fan_in + fan_out)); normal: N(0, std^2); uniform: U[-bound, bound), bound = sqrt(3) std.
 */
export class XavierInitializer extends Initializer {
  readonly name: string = 'xavier'
  readonly gain: number
  readonly distributionKind: 'uniform' | 'normal'

  /** @throws WeightInitError `INVALID_CONFIG` for a gain that is not a finite number, another distribution, an unknown key */
  constructor(config: XavierConfig = {}) {
    super()
    refuseUnknownKeys(config, ['gain', 'distribution'], 'xavier config', 'INVALID_CONFIG')
    this.gain = finiteNumber(orDefault(config.gain, 1), 'gain', 'xavier')
    this.distributionKind = oneOf(
      orDefault(config.distribution, 'uniform'),
      ['uniform', 'normal'],
      'distribution',
      'xavier',
    )
  }

  get config(): Readonly<Record<string, unknown>> {
    return { gain: this.gain, distribution: this.distributionKind }
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2 */
  distribution({ fans }: InitializerContext): Distribution {
    const { fanIn, fanOut } = fans()
    return centred(this.distributionKind, this.gain * Math.sqrt(2 / (fanIn + fanOut)))
  }
}

export const xavierUniform: XavierInitializer = /* @__PURE__ */ new XavierInitializer({ distribution: 'uniform' })
export const xavierNormal: XavierInitializer = /* @__PURE__ */ new XavierInitializer({ distribution: 'normal' })
