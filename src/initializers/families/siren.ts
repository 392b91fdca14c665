import type { Distribution } from '../../ir/distribution.js'
import { type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface SirenConfig extends ConfigFrom<typeof SirenInitializer.settings>, InitializerConfig {}

/**
 * U[-b, b) with b = sqrt(6 / fan_in) / omega, or b = 1 / fan_in for the network's first layer. Sitzmann et al., "Implicit neural
 * representations with periodic activation functions", NeurIPS 2020, section 3.2.
 */
export class SirenInitializer extends SchemaInitializer {
  static readonly names = { siren: {} } as const
  static readonly settings = {
    /** The frequency of the sine that follows the layer, > 0. Default 30. */
    omega: { default: 30, above: 0, refusal: 'omega must be > 0, but found %.' },
    /** Whether this is the network's first layer, whose bound 1 / fan_in does not depend on omega. Default false. */
    first: { choices: [false, true], default: false, refusal: 'first must be true or false, but found %' },
  } as const
  static readonly usesFans = true

  declare readonly config: ReadConfig<typeof SirenInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for omega <= 0, a `first` that is not a boolean, or an unknown key */
  constructor(config: SirenConfig = {}) {
    super(config)
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2 */
  distribution({ fans }: InitializerContext): Distribution {
    const { fanIn } = fans()
    const bound = this.config.first ? 1 / fanIn : Math.sqrt(6 / fanIn) / this.config.omega
    return { kind: 'uniform', low: -bound, high: bound }
  }
}

/** The initializer of a SIREN's hidden layers with omega = 30. */
export const siren: SirenInitializer = /* @__PURE__ */ new SirenInitializer()

export const sirenHelp: FamilyHelp<typeof SirenInitializer> = {
  family: SirenInitializer,
  summary: 'A layer before a sine: implicit neural representations.',
  distribution: 'U(-b, b), b = sqrt(6 / n_in) / omega; of the first layer b = 1 / n_in',
  citation: 'Sitzmann et al. 2020, section 3.2',
  settings: {
    omega: 'the frequency of the sine that follows',
    first: "the network's first layer, which takes no omega",
  },
}
