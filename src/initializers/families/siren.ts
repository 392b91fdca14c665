import { refuseUnknownKeys, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, type InitializerContext, orDefault } from '../initializer.js'

export interface SirenConfig {
  /** Frequency of the sine that follows, > 0. Default 30. */
  readonly omega?: number
  /** The network's first layer: U(-1/fan_in, 1/fan_in), without omega. Default false. */
  readonly first?: boolean
}

/**
 * Sitzmann et al., "Implicit neural representations with periodic activation functions", NeurIPS 2020, section 3.2:
 * U(-b, b) with b = sqrt(6 / fan_in) / omega; for the first layer b = 1 / fan_in.
 */
export class SirenInitializer extends Initializer {
  readonly name: string = 'siren'
  readonly omega: number
  readonly first: boolean

  /** @throws WeightInitError `INVALID_CONFIG` for omega <= 0, a `first` that is no boolean, or an unknown key */
  constructor(config: SirenConfig = {}) {
    super()
    refuseUnknownKeys(config, ['omega', 'first'], 'siren config', 'INVALID_CONFIG')
    this.omega = finiteNumber(orDefault(config.omega, 30), 'omega', this.name)
    this.first = orDefault(config.first, false)
    if (this.omega <= 0)
      throw new WeightInitError('INVALID_CONFIG', `siren: omega must be > 0, but found ${this.omega}.`)
    if (typeof this.first !== 'boolean')
      throw new WeightInitError('INVALID_CONFIG', `siren: first must be true or false, but found ${this.first}.`)
  }

  get config(): Readonly<Record<string, unknown>> {
    return { omega: this.omega, first: this.first }
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2 */
  distribution({ fans }: InitializerContext): Distribution {
    const { fanIn } = fans()
    const bound = this.first ? 1 / fanIn : Math.sqrt(6 / fanIn) / this.omega
    return { kind: 'uniform', low: -bound, high: bound }
  }
}

/** A hidden layer of a SIREN with omega 30. */
export const siren: SirenInitializer = /* @__PURE__ */ new SirenInitializer()
