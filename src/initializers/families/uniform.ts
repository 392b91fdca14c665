import { refuseUnknownKeys, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, orDefault } from '../initializer.js'

export interface UniformConfig {
  /** Lower end, included. Default 0. */
  readonly a?: number
  /** Upper end, excluded in float32; a narrower dtype may round up to it. Default 1. */
  readonly b?: number
}

/** U[a, b), PyTorch's uniform_. a = b is the constant a. */
export class UniformInitializer extends Initializer {
  readonly name: string = 'uniform'
  readonly a: number
  readonly b: number

  /** @throws WeightInitError `INVALID_CONFIG` for a > b, ends that are not finite, or an unknown key */
  constructor(config: UniformConfig = {}) {
    super()
    refuseUnknownKeys(config, ['a', 'b'], 'uniform config', 'INVALID_CONFIG')
    this.a = finiteNumber(orDefault(config.a, 0), 'a', 'uniform')
    this.b = finiteNumber(orDefault(config.b, 1), 'b', 'uniform')
    if (this.a > this.b) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `uniform: uniform_ expects to return a [from, to) range, but found from=${this.a} > to=${this.b}. Swap a and b.`,
      )
    }
  }

  get config(): Readonly<Record<string, unknown>> {
    return { a: this.a, b: this.b }
  }

  distribution(): Distribution {
    return { kind: 'uniform', low: this.a, high: this.b }
  }
}

/** U[0, 1). */
export const uniform: UniformInitializer = /* @__PURE__ */ new UniformInitializer()
