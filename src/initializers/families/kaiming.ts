import type { Distribution } from '../../ir/distribution.js'
import { calculateGain, type Nonlinearity, nonlinearities } from '../gain.js'
import { centred, type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export type FanMode = 'fan_in' | 'fan_out'

export interface KaimingConfig extends ConfigFrom<typeof KaimingInitializer.settings>, InitializerConfig {}

/**
 * He initialisation, with std = gain / sqrt(fan): N(0, std^2) for 'normal', and U[-bound, bound) with bound = sqrt(3) std for
 * 'uniform'. He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015; PyTorch's kaiming_uniform_ and kaiming_normal_,
 * whose std and bound are the same float64 numbers. Parameters need rank >= 2.
 *
 * @example
 * const weights = await initializeModel(linear(784, 256), new KaimingInitializer({ mode: 'fan_out' }), { seed: 42 })
 */
export class KaimingInitializer extends SchemaInitializer {
  static readonly names = {
    kaiming: {},
    kaiming_uniform: { distribution: 'uniform' },
    kaiming_normal: { distribution: 'normal' },
  } as const
  static readonly settings = {
    /** Whether to preserve the variance in the forward pass ('fan_in', the default) or the backward pass ('fan_out'). */
    mode: {
      choices: ['fan_in', 'fan_out'] as readonly FanMode[],
      default: 'fan_in',
      refusal: "Mode % not supported, please use one of ['fan_in', 'fan_out']",
    },
    /** The nonlinearity that follows the layer. Default 'relu'. */
    nonlinearity: {
      choices: nonlinearities as readonly Nonlinearity[],
      default: 'relu',
      refusal: "Unsupported nonlinearity % (for another activation pass a number: gain: activationGain('gelu'))",
    },
    /** The negative slope of leaky_relu. Default 0, as in PyTorch's kaiming_uniform_ and kaiming_normal_. */
    a: { default: 0 },
    /** The gain, in place of the one that the nonlinearity implies. */
    gain: { optional: true },
    /** The shape of the distribution. Default 'normal'. */
    distribution: { choices: ['uniform', 'normal'], default: 'normal' },
  } as const
  static readonly usesFans = true

  declare readonly config: ReadConfig<typeof KaimingInitializer.settings>
  /** The gain in use: the one in the config, or the one that the nonlinearity implies. */
  readonly gain: number

  /**
   * @throws WeightInitError `INVALID_CONFIG` for an unknown mode, nonlinearity, distribution or key, and for a gain or a
   *   slope `a` that is not a finite number
   */
  constructor(config: KaimingConfig = {}) {
    super(withLowerCaseMode(config))
    const { gain, nonlinearity, a } = this.config
    this.gain = gain ?? calculateGain(nonlinearity, a)
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2 */
  distribution({ fans }: InitializerContext): Distribution {
    const { fanIn, fanOut } = fans()
    return centred(this.config.distribution, this.gain / Math.sqrt(this.config.mode === 'fan_in' ? fanIn : fanOut))
  }
}

/** PyTorch converts the mode to lower case, so 'FAN_IN' is accepted too. */
function withLowerCaseMode(config: { readonly mode?: unknown } | null): unknown {
  const mode = config?.mode
  return typeof mode === 'string' ? { ...config, mode: mode.toLowerCase() } : config
}

export const kaimingUniform: KaimingInitializer = /* @__PURE__ */ new KaimingInitializer({ distribution: 'uniform' })
export const kaimingNormal: KaimingInitializer = /* @__PURE__ */ new KaimingInitializer({ distribution: 'normal' })

export const kaimingHelp: FamilyHelp<typeof KaimingInitializer> = {
  family: KaimingInitializer,
  summary: 'Keeps the variance of activations (fan_in) or gradients (fan_out) through a nonlinearity.',
  distribution: 'std = gain / sqrt(n), n the fan that mode names',
  citation: 'He et al. 2015; torch.nn.init.kaiming_uniform_ and kaiming_normal_',
  settings: {
    mode: 'keep the variance forward (fan_in) or backward (fan_out)',
    nonlinearity: 'what follows the layer; it chooses the gain',
    a: 'negative slope of leaky_relu',
    gain: "the gain itself, in place of the nonlinearity's",
    distribution: 'the shape of the distribution',
  },
}
