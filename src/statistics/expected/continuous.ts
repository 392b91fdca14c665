// The continuous distributions behind the distributions, before rounding: what a histogram's bins and the p-values come from.

import type { Distribution, DistributionOf } from '../../ir/distribution.js'
import { normalDensity, normalTail } from '../../random/normal-cdf.js'
import { truncatedNormalMoments } from '../../random/truncated-normal.js'
import { normalQuantileOfTail } from './special.js'

/** A continuous distribution, float64. */
export interface ContinuousDistribution {
  /** P(X < x). Keeps its digits in the lower tail. */
  head(x: number): number
  /** P(X >= x). Keeps its digits in the upper tail. */
  tail(x: number): number
  /** x with P(X < x) = p, 0 < p < 1. */
  quantile(p: number): number
  density(x: number): number
  readonly mean: number
  readonly std: number
  /** Every value is >= low and <= high. */
  readonly low: number
  readonly high: number
  /**
   * E exp(t (X - mean)) <= exp(proxy std^2 t^2 / 2) for all t: 1 for a distribution whose tails are no heavier than a normal's of
   * the same variance.
   */
  readonly proxy: number
}

/** Its parameters rounded to float32, as whoever draws it takes them. */
export function continuousDistribution(distribution: Distribution): ContinuousDistribution | undefined {
  const { fround } = Math
  switch (distribution.kind) {
    case 'uniform':
      return uniformDistribution(fround(distribution.low), fround(distribution.high))
    case 'normal':
      return normalDistribution(fround(distribution.mean), fround(distribution.std))
    case 'truncated-normal':
      return truncatedNormalDistribution(distribution)
    // Of its elements that are not 0.
    case 'sparse':
      return normalDistribution(0, fround(distribution.std))
    default:
      return undefined
  }
}

function uniformDistribution(low: number, high: number): ContinuousDistribution {
  const width = high - low
  const clamp = (p: number): number => Math.min(1, Math.max(0, p))
  return {
    head: (x) => clamp((x - low) / width),
    tail: (x) => clamp((high - x) / width),
    quantile: (p) => low + p * width,
    density: (x) => (x >= low && x < high ? 1 / width : 0),
    mean: (low + high) / 2,
    std: width / Math.sqrt(12),
    low,
    high,
    proxy: 1,
  }
}

function normalDistribution(mean: number, std: number): ContinuousDistribution {
  return {
    head: (x) => normalTail((mean - x) / std),
    tail: (x) => normalTail((x - mean) / std),
    quantile: (p) => mean + std * (p < 0.5 ? -normalQuantileOfTail(p) : normalQuantileOfTail(1 - p)),
    density: (x) => normalDensity((x - mean) / std) / std,
    mean,
    std,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
    proxy: 1,
  }
}

/**
 * The interval is mirrored, if need be, so that most of it lies above the mean: both tails are then differences of small
 * numbers. Its proxy is the untruncated normal's variance: a restriction to an interval makes a normal distribution only more
 * concentrated about its mean (Bakry and Emery 1985; Caffarelli 2000); for symmetric bounds it is 1.
 */
function truncatedNormalDistribution(distribution: DistributionOf<'truncated-normal'>): ContinuousDistribution {
  const { low, high } = distribution
  const mean = Math.fround(distribution.mean)
  const std = Math.fround(distribution.std)
  const a = (low - mean) / std
  const b = (high - mean) / std
  const mirrored = a + b < 0
  const [alpha, beta] = mirrored ? [-b, -a] : [a, b]
  const bottom = normalTail(alpha)
  const top = normalTail(beta)
  const mass = bottom - top
  /** P(Z >= z) and P(Z < z) of the mirrored distribution. */
  const tailOf = (z: number): number => (z <= alpha ? 1 : z >= beta ? 0 : (normalTail(z) - top) / mass)
  const headOf = (z: number): number =>
    z <= alpha
      ? 0
      : z >= beta
        ? 1
        : alpha < 0
          ? (normalTail(-z) - normalTail(-alpha)) / mass
          : (bottom - normalTail(z)) / mass
  const quantileOf = (p: number): number =>
    Math.min(beta, Math.max(alpha, normalQuantileOfTail(Math.min(1 - 1e-17, top + (1 - p) * mass))))
  const moments = truncatedNormalMoments({ mean, std, low, high })
  const symmetric = Math.abs(a + b) < 1e-9
  return {
    head: (x) => (mirrored ? tailOf((mean - x) / std) : headOf((x - mean) / std)),
    tail: (x) => (mirrored ? headOf((mean - x) / std) : tailOf((x - mean) / std)),
    quantile: (p) => mean + std * (mirrored ? -quantileOf(1 - p) : quantileOf(p)),
    density: (x) => (x < low || x > high ? 0 : normalDensity((x - mean) / std) / std / mass),
    ...moments,
    low,
    high,
    // Hoeffding's lemma bounds it too: (b - a)^2 / 4.
    proxy: symmetric ? 1 : Math.max(1, Math.min(std, (high - low) / 2) ** 2 / moments.std ** 2),
  }
}
