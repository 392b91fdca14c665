import { refuseUnknownKeys, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, orDefault } from '../initializer.js'

export interface TruncatedNormalConfig {
  /** Default 0. */
  readonly mean?: number
  /** Standard deviation before truncation, > 0. Default 1 (PyTorch). */
  readonly std?: number
  /** Lower bound, an absolute value. Default -2. */
  readonly a?: number
  /** Upper bound, an absolute value. Default 2. */
  readonly b?: number
}

/**
 * N(mean, std^2) given that it lies in [a, b]: PyTorch's trunc_normal_, whose bounds are ABSOLUTE values. With std 0.02 and
 * the default bounds nothing is truncated; for bounds in standard deviations use `TruncatedNormalSigmaInitializer`.
 * By inversion of the distribution function (PyTorch <= 2.12 inverts too, 2.13 rejects); tails exact. A value that rounding brings past a bound becomes the bound.
 */
export class TruncatedNormalInitializer extends Initializer {
  readonly name: string = 'trunc_normal'
  readonly mean: number
  readonly std: number
  readonly a: number
  readonly b: number

  /** @throws WeightInitError `INVALID_CONFIG` for std <= 0, a >= b, values that are not finite, an unknown key */
  constructor(config: TruncatedNormalConfig = {}) {
    super()
    refuseUnknownKeys(config, ['mean', 'std', 'a', 'b'], 'trunc_normal config', 'INVALID_CONFIG')
    this.mean = finiteNumber(orDefault(config.mean, 0), 'mean', this.name)
    this.std = positiveStd(orDefault(config.std, 1), this.name)
    this.a = finiteNumber(orDefault(config.a, -2), 'a', this.name)
    this.b = finiteNumber(orDefault(config.b, 2), 'b', this.name)
    requireInterval(this.a, this.b, this.name)
  }

  get config(): Readonly<Record<string, unknown>> {
    return { mean: this.mean, std: this.std, a: this.a, b: this.b }
  }

  distribution(): Distribution {
    return { kind: 'truncated-normal', mean: this.mean, std: this.std, low: this.a, high: this.b }
  }
}

export interface TruncatedNormalSigmaConfig {
  /** Default 0. */
  readonly mean?: number
  /** Standard deviation before truncation, > 0. Default 0.01 (JAX's stddev; Keras and TensorFlow.js have 0.05). */
  readonly std?: number
  /** Lower bound in standard deviations from the mean. Default -2. */
  readonly lower?: number
  /** Upper bound in standard deviations from the mean. Default 2. */
  readonly upper?: number
}

/**
 * N(mean, std^2) given that it lies in [mean + lower std, mean + upper std]: jax.nn.initializers.truncated_normal and
 * keras.initializers.TruncatedNormal, whose bounds are in SIGMA. No correction: with bounds of 2 the result's own
 * standard deviation is 0.8796 std, as in both libraries.
 */
export class TruncatedNormalSigmaInitializer extends Initializer {
  readonly name: string = 'truncated_normal'
  readonly mean: number
  readonly std: number
  readonly lower: number
  readonly upper: number

  /** @throws WeightInitError `INVALID_CONFIG` for std <= 0, lower >= upper, values that are not finite, an unknown key */
  constructor(config: TruncatedNormalSigmaConfig = {}) {
    super()
    refuseUnknownKeys(config, ['mean', 'std', 'lower', 'upper'], 'truncated_normal config', 'INVALID_CONFIG')
    this.mean = finiteNumber(orDefault(config.mean, 0), 'mean', this.name)
    this.std = positiveStd(orDefault(config.std, 0.01), this.name)
    this.lower = finiteNumber(orDefault(config.lower, -2), 'lower', this.name)
    this.upper = finiteNumber(orDefault(config.upper, 2), 'upper', this.name)
    requireInterval(this.lower, this.upper, this.name)
  }

  get config(): Readonly<Record<string, unknown>> {
    return { mean: this.mean, std: this.std, lower: this.lower, upper: this.upper }
  }

  distribution(): Distribution {
    const { mean, std, lower, upper } = this
    return { kind: 'truncated-normal', mean, std, low: mean + lower * std, high: mean + upper * std }
  }
}

function positiveStd(std: unknown, name: string): number {
  const value = finiteNumber(std, 'std', name)
  if (value > 0) return value
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${name}: std must be > 0, but found std ${value}. Use constant for a distribution without spread.`,
  )
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
