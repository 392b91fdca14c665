import type { Distribution } from '../../ir/distribution.js'
import type { Fans } from '../../ir/fans.js'
import { centred, type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export type VarianceScalingMode = 'fan_in' | 'fan_out' | 'fan_avg' | 'fan_geo_avg'
/**
 * - 'uniform': U[-b, b) with b = sqrt(3 variance)
 * - 'truncated_normal': a normal distribution within two of its standard deviations, which is widened so that the values'
 *   standard deviation is sqrt(variance), as in JAX and Keras
 * - 'normal': a normal distribution without truncation, as in JAX (in Keras 'normal' means the truncated one)
 * - 'untruncated_normal': the same as 'normal', under Keras's name
 */
export type VarianceScalingDistribution = 'uniform' | 'normal' | 'untruncated_normal' | 'truncated_normal'

export interface VarianceScalingConfig
  extends ConfigFrom<typeof VarianceScalingInitializer.settings>,
    InitializerConfig {}

/** The standard deviation of N(0, 1) truncated to [-2, 2]: the constant by which JAX and Keras divide. */
const TRUNCATED_STD = 0.87962566103423978

const denominators: Readonly<Record<VarianceScalingMode, (fans: Fans) => number>> = {
  fan_in: ({ fanIn }) => fanIn,
  fan_out: ({ fanOut }) => fanOut,
  fan_avg: ({ fanIn, fanOut }) => (fanIn + fanOut) / 2,
  fan_geo_avg: ({ fanIn, fanOut }) => Math.sqrt(fanIn * fanOut),
}
/**
 * Scales the variance by the fans: variance = scale / n, where n is the fan that `mode` names.
 * - 'uniform': U[-b, b) with b = sqrt(3 variance)
 * - 'normal', 'untruncated_normal': N(0, variance)
 * - 'truncated_normal': std = sqrt(variance) / 0.87962566103423978, truncated at two of that std, so that the values' standard
 *   deviation is sqrt(variance)
 *
 * The same as jax.nn.initializers.variance_scaling, fan_geo_avg included, and keras.initializers.VarianceScaling. Parameters
 * need rank >= 2.
 */
export class VarianceScalingInitializer extends SchemaInitializer {
  static readonly names = {
    variance_scaling: {},
    lecun_normal: { scale: 1, mode: 'fan_in', distribution: 'truncated_normal' },
    lecun_uniform: { scale: 1, mode: 'fan_in', distribution: 'uniform' },
    glorot_normal: { scale: 1, mode: 'fan_avg', distribution: 'truncated_normal' },
    glorot_uniform: { scale: 1, mode: 'fan_avg', distribution: 'uniform' },
    he_normal: { scale: 2, mode: 'fan_in', distribution: 'truncated_normal' },
    he_uniform: { scale: 2, mode: 'fan_in', distribution: 'uniform' },
  } as const
  static readonly settings = {
    /** The variance times n, > 0. Default 1. */
    scale: {
      default: 1,
      above: 0,
      refusal: 'Argument `scale` must be positive float. Received: scale=%.',
    },
    /** The fan n to divide by; fan_avg is the mean of both fans, fan_geo_avg their geometric mean. Default 'fan_in'. */
    mode: {
      choices: ['fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'] as readonly VarianceScalingMode[],
      default: 'fan_in',
    },
    /** The shape of the distribution. Default 'truncated_normal', as in Keras; JAX has no default. */
    distribution: {
      choices: [
        'uniform',
        'normal',
        'untruncated_normal',
        'truncated_normal',
      ] as readonly VarianceScalingDistribution[],
      default: 'truncated_normal',
    },
  } as const
  static readonly usesFans = true

  declare readonly config: ReadConfig<typeof VarianceScalingInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for scale <= 0, an unknown mode, distribution or key */
  constructor(config: VarianceScalingConfig = {}) {
    super(config)
  }

  /**
   * Computed in float64. With a JAX generator every step is rounded to float32, as in JAX, so that the values equal JAX's.
   * @throws WeightInitError `INVALID_SHAPE` for rank < 2
   */
  distribution({ fans, generator }: InitializerContext): Distribution {
    const inJax = generator === 'jax' || generator === 'jax-legacy'
    const rounded = (x: number): number => (inJax ? Math.fround(x) : x)
    const variance = rounded(this.config.scale / denominators[this.config.mode](fans()))
    if (this.config.distribution === 'uniform') {
      const bound = rounded(Math.sqrt(rounded(3 * variance)))
      return { kind: 'uniform', low: -bound, high: bound }
    }
    const std = rounded(Math.sqrt(variance))
    if (this.config.distribution !== 'truncated_normal') return centred('normal', std)
    const widened = rounded(std / rounded(TRUNCATED_STD))
    return { kind: 'truncated-normal', mean: 0, std: widened, low: -2 * widened, high: 2 * widened }
  }
}

const preset = (
  scale: number,
  mode: VarianceScalingMode,
  distribution: VarianceScalingDistribution,
): VarianceScalingInitializer => new VarianceScalingInitializer({ scale, mode, distribution })

/** LeCun et al. 1998: scale 1, fan_in, truncated normal with corrected std, as in JAX and Keras. */
export const lecunNormal: VarianceScalingInitializer = /* @__PURE__ */ preset(1, 'fan_in', 'truncated_normal')
/** LeCun et al. 1998: scale 1, fan_in, uniform. */
export const lecunUniform: VarianceScalingInitializer = /* @__PURE__ */ preset(1, 'fan_in', 'uniform')
/** Glorot and Bengio 2010: scale 1, fan_avg, truncated normal. PyTorch's xavier_normal_ is the untruncated `xavierNormal`. */
export const glorotNormal: VarianceScalingInitializer = /* @__PURE__ */ preset(1, 'fan_avg', 'truncated_normal')
/** Glorot and Bengio 2010: scale 1, fan_avg, uniform. */
export const glorotUniform: VarianceScalingInitializer = /* @__PURE__ */ preset(1, 'fan_avg', 'uniform')
/** He et al. 2015: scale 2, fan_in, truncated normal. PyTorch's kaiming_normal_ is the untruncated `kaimingNormal`. */
export const heNormal: VarianceScalingInitializer = /* @__PURE__ */ preset(2, 'fan_in', 'truncated_normal')
/** He et al. 2015: scale 2, fan_in, uniform. */
export const heUniform: VarianceScalingInitializer = /* @__PURE__ */ preset(2, 'fan_in', 'uniform')

export const varianceScalingHelp: FamilyHelp<typeof VarianceScalingInitializer> = {
  family: VarianceScalingInitializer,
  summary: "JAX's and Keras's scaling by fans; LeCun, Glorot and He are its presets.",
  distribution: 'variance = scale / n, n the fan that mode names',
  citation:
    'jax.nn.initializers.variance_scaling; keras.initializers.VarianceScaling; LeCun et al. 1998, Glorot and Bengio 2010, He et al. 2015',
  settings: {
    scale: 'the variance times n',
    mode: 'what to divide by; fan_avg is the mean of the fans, fan_geo_avg their geometric mean',
    distribution: 'the shape; truncated_normal is cut at two standard deviations and widened to keep its variance',
  },
}
