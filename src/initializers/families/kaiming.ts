import type { Distribution } from '../../ir/distribution.js'
import { calculateGain, type Nonlinearity, nonlinearities } from '../gain.js'
import { centred, type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export type FanMode = 'fan_in' | 'fan_out'

export interface KaimingConfig extends ConfigFrom<typeof KaimingInitializer.settings>, InitializerConfig {}

/**
 * He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015; PyTorch's kaiming_uniform_ and kaiming_normal_,
 * float64-equal. std = gain / sqrt(fan); normal: N(0, std^2); uniform: U[-bound, bound), bound = sqrt(3) std.
 */
export class KaimingInitializer extends SchemaInitializer {
  static readonly names = {
    kaiming: {},
    kaiming_uniform: { distribution: 'uniform' },
    kaiming_normal: { distribution: 'normal' },
  } as const
  static readonly settings = {
    /** Preserve the variance forward ('fan_in', the default) or backward ('fan_out'). */
    mode: {
      choices: ['fan_in', 'fan_out'] as readonly FanMode[],
      default: 'fan_in',
      refusal: "Mode % not supported, please use one of ['fan_in', 'fan_out']",
    },
    /** What follows the layer. Default 'relu'. */
    nonlinearity: {
      choices: nonlinearities as readonly Nonlinearity[],
      default: 'relu',
      refusal: "Unsupported nonlinearity % (for another activation pass a number: gain: activationGain('gelu'))",
    },
    /** Negative slope of leaky_relu. Default 0, as PyTorch's kaiming_*_ pass it. */
    a: { default: 0 },
    /** The gain itself, in place of the nonlinearity's. */
    gain: { optional: true },
    /** Default 'normal'. */
    distribution: { choices: ['uniform', 'normal'], default: 'normal' },
  } as const
  static readonly usesFans = true

  declare readonly config: ReadConfig<typeof KaimingInitializer.settings>
  /** The gain that is used: the config's, or the nonlinearity's. */
  readonly gain: number

  /** @throws WeightInitError `INVALID_CONFIG` for an unknown mode, nonlinearity, distribution or key, or a gain or a that is no number */
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

/** PyTorch lower-cases the mode. */
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
