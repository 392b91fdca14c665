import type { Distribution } from '../../ir/distribution.js'
import { centred, type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface XavierConfig extends ConfigFrom<typeof XavierInitializer.settings>, InitializerConfig {}

/**
 * Glorot initialisation, with std = gain sqrt(2 / (fan_in + fan_out)): N(0, std^2) for 'normal', and U[-bound, bound) with
 * bound = sqrt(3) std for 'uniform'. Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
 * networks", AISTATS 2010; PyTorch's xavier_uniform_ and xavier_normal_, whose std and bound are the same float64 numbers.
 * Parameters need rank >= 2.
 *
 * @example
 * const weights = await initializeModel(linear(784, 256), new XavierInitializer({ gain: calculateGain('tanh') }), { seed: 42 })
 */
export class XavierInitializer extends SchemaInitializer {
  static readonly names = {
    xavier: {},
    xavier_uniform: { distribution: 'uniform' },
    xavier_normal: { distribution: 'normal' },
  } as const
  static readonly settings = {
    /** A factor on the standard deviation; see `calculateGain`. Default 1. */
    gain: { default: 1 },
    /** The shape of the distribution. Default 'uniform'. */
    distribution: { choices: ['uniform', 'normal'], default: 'uniform' },
  } as const
  static readonly usesFans = true

  declare readonly config: ReadConfig<typeof XavierInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a gain that is not a finite number, another distribution, or an unknown key */
  constructor(config: XavierConfig = {}) {
    super(config)
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2 */
  distribution({ fans }: InitializerContext): Distribution {
    const { fanIn, fanOut } = fans()
    return centred(this.config.distribution, this.config.gain * Math.sqrt(2 / (fanIn + fanOut)))
  }
}

export const xavierUniform: XavierInitializer = /* @__PURE__ */ new XavierInitializer({ distribution: 'uniform' })
export const xavierNormal: XavierInitializer = /* @__PURE__ */ new XavierInitializer({ distribution: 'normal' })

export const xavierHelp: FamilyHelp<typeof XavierInitializer> = {
  family: XavierInitializer,
  summary: 'Keeps the variance of activations and gradients through linear layers.',
  distribution: 'std = gain sqrt(2 / (n_in + n_out))',
  citation: 'Glorot and Bengio 2010; torch.nn.init.xavier_uniform_ and xavier_normal_',
  settings: {
    gain: 'a factor on the standard deviation',
    distribution: 'the shape of the distribution',
  },
}
