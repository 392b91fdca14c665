import { WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface TruncatedNormalConfig
  extends ConfigFrom<typeof TruncatedNormalInitializer.settings>,
    InitializerConfig {}

/**
 * N(mean, std^2), conditioned on [a, b]: PyTorch's trunc_normal_, whose bounds are ABSOLUTE values. With std 0.02 and the
 * default bounds, nothing is truncated; for bounds in standard deviations use `TruncatedNormalSigmaInitializer`.
 *
 * A value is the inverse distribution function of a uniform number, and is accurate far into the tails. (PyTorch up to 2.12
 * uses inversion as well; from 2.13 on it uses rejection.) A value that rounding would move past a bound becomes the bound.
 * Same bits on every device.
 */
export class TruncatedNormalInitializer extends SchemaInitializer {
  static readonly names = { trunc_normal: {} } as const
  static readonly settings = {
    /** The mean before truncation. Default 0. */
    mean: { default: 0 },
    /** The standard deviation before truncation, > 0. Default 1, as in PyTorch. */
    std: {
      default: 1,
      above: 0,
      refusal: 'std must be > 0, but found std %. Use constant for a distribution without spread.',
    },
    /** The lower bound, included, as an absolute value. Default -2. */
    a: { default: -2 },
    /** The upper bound, included, as an absolute value. Default 2. */
    b: { default: 2 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof TruncatedNormalInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for std <= 0, a >= b, a value that is not finite, or an unknown key */
  constructor(config: TruncatedNormalConfig = {}) {
    super(config)
    requireInterval(this.config.a, this.config.b, this.name)
  }

  distribution(): Distribution {
    const { mean, std, a, b } = this.config
    return { kind: 'truncated-normal', mean, std, low: a, high: b }
  }
}

export interface TruncatedNormalSigmaConfig
  extends ConfigFrom<typeof TruncatedNormalSigmaInitializer.settings>,
    InitializerConfig {}

/**
 * N(mean, std^2), conditioned on [mean + lower std, mean + upper std]: jax.nn.initializers.truncated_normal and
 * keras.initializers.TruncatedNormal, whose bounds are in STANDARD DEVIATIONS. The std is not corrected for the truncation:
 * with the bounds -2 and 2 the values' standard deviation is 0.8796 std, as in both libraries. Same bits on every device.
 */
export class TruncatedNormalSigmaInitializer extends SchemaInitializer {
  static readonly names = { truncated_normal: {} } as const
  static readonly settings = {
    /** The mean before truncation. Default 0. */
    mean: { default: 0 },
    /** The standard deviation before truncation, > 0. Default 0.01, as in JAX; Keras and TensorFlow.js have 0.05. */
    std: {
      default: 0.01,
      above: 0,
      refusal: 'std must be > 0, but found std %. Use constant for a distribution without spread.',
    },
    /** The lower bound, included, in standard deviations from the mean. Default -2. */
    lower: { default: -2 },
    /** The upper bound, included, in standard deviations from the mean. Default 2. */
    upper: { default: 2 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof TruncatedNormalSigmaInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for std <= 0, lower >= upper, a value that is not finite, or an unknown key */
  constructor(config: TruncatedNormalSigmaConfig = {}) {
    super(config)
    requireInterval(this.config.lower, this.config.upper, this.name)
  }

  distribution(): Distribution {
    const { mean, std, lower, upper } = this.config
    return { kind: 'truncated-normal', mean, std, low: mean + lower * std, high: mean + upper * std }
  }
}

function requireInterval(low: number, high: number, name: string): void {
  if (low < high) return
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${name}: the interval [${low}, ${high}] is empty: the lower bound must be below the upper. Swap or widen the bounds.`,
  )
}

/** PyTorch's trunc_normal_ with its defaults: N(0, 1) within [-2, 2]. */
export const truncNormal: TruncatedNormalInitializer = /* @__PURE__ */ new TruncatedNormalInitializer()
/** JAX's truncated_normal with its defaults: N(0, 0.01^2) within two sigma. */
export const truncatedNormal: TruncatedNormalSigmaInitializer = /* @__PURE__ */ new TruncatedNormalSigmaInitializer()

export const truncNormalHelp: FamilyHelp<typeof TruncatedNormalInitializer> = {
  family: TruncatedNormalInitializer,
  summary: 'A normal distribution between two bounds that are absolute values.',
  distribution: 'N(mean, std^2) given that it lies in [a, b]',
  citation: 'torch.nn.init.trunc_normal_',
  settings: {
    mean: 'the mean before truncation',
    std: 'the standard deviation before truncation',
    a: 'the lower bound, an absolute value',
    b: 'the upper bound, an absolute value',
  },
}

export const truncatedNormalHelp: FamilyHelp<typeof TruncatedNormalSigmaInitializer> = {
  family: TruncatedNormalSigmaInitializer,
  summary: 'A normal distribution between two bounds in standard deviations from the mean.',
  distribution: 'N(mean, std^2) given that it lies in [mean + lower std, mean + upper std]',
  citation: 'jax.nn.initializers.truncated_normal; keras.initializers.TruncatedNormal',
  settings: {
    mean: 'the mean before truncation',
    std: 'the standard deviation before truncation',
    lower: 'the lower bound, in standard deviations from the mean',
    upper: 'the upper bound, in standard deviations from the mean',
  },
}
