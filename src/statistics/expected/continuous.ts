// The continuous distributions behind the distributions, before rounding: what a histogram's bins and the p-values come from.

import type { Distribution, DistributionKind, DistributionOf } from '../../ir/distribution.js'
import { normalDensity, normalSf } from '../../random/normal-cdf.js'
import { nextAtLeast, nextAtMost, truncatedNormalMoments } from '../../random/truncated-normal.js'
import { nextBelow } from '../../random/uniform.js'
import { normalIsf } from './special.js'

/** A continuous distribution, float64. */
export interface ContinuousDistribution {
  /** P(X < x). Keeps its digits in the lower tail. */
  cdf(x: number): number
  /** P(X >= x). Keeps its digits in the upper tail. */
  sf(x: number): number
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
  /** Only of a normal distribution. */
  readonly normal?: true
  /**
   * What generators make of the ends of a bounded range in float32, other than to round to the nearest number. It shows where the
   * range holds few numbers.
   */
  readonly variants?: () => readonly ContinuousDistribution[]
  /** How far beyond its bounds a value may be rounded where the sum of mean and deviation has two roundings. Default 0. */
  readonly slack?: number
  /** Only where the tensor also has elements that are 0 by construction, of which this does not speak. */
  readonly zeroInflated?: true
}

type Continuous<K extends DistributionKind> = ((distribution: DistributionOf<K>) => ContinuousDistribution) | undefined

const fround = Math.fround

/** Undefined for what has no density, or none that is simple. */
const continuous: { readonly [K in DistributionKind]: Continuous<K> } = {
  constant: undefined,
  uniform: ({ low, high }) => uniform(fround(low), fround(high)),
  normal: ({ mean, std }) => ({
    ...normal(fround(mean), fround(std)),
    // PyTorch takes the mean in float64 for fewer than 16 elements.
    variants: () => (fround(mean) === mean ? [] : [normal(mean, std)]),
  }),
  'truncated-normal': (distribution) => truncatedNormal(distribution),
  sparse: ({ std }) => ({ ...normal(0, fround(std)), zeroInflated: true }),
  diagonal: undefined,
  pieces: undefined,
  computed: undefined,
  orthogonal: undefined,
  sinusoid: undefined,
  custom: undefined,
}

/** Its parameters rounded to float32, as whoever draws it takes them. */
export function continuousDistribution(distribution: Distribution): ContinuousDistribution | undefined {
  // The table pairs each kind with its own distribution; TypeScript cannot follow that through a lookup by a union.
  return continuous[distribution.kind]?.(distribution as never)
}

function uniform(low: number, high: number): ContinuousDistribution {
  const width = high - low
  const clamp = (p: number): number => Math.min(1, Math.max(0, p))
  return {
    cdf: (x) => clamp((x - low) / width),
    sf: (x) => clamp((high - x) / width),
    quantile: (p) => low + p * width,
    density: (x) => (x >= low && x <= high ? 1 / width : 0),
    mean: (low + high) / 2,
    std: width / Math.sqrt(12),
    low,
    high,
    proxy: 1,
    variants() {
      if (!(high > low)) return []
      const top = nextBelow(high)
      // [low, high): what rounds to `high` becomes the largest number below it, or `low`, as PyTorch has it.
      return [clamped(this, low, top), wrapped(this, low, (top + high) / 2, top)]
    },
  }
}

/** The distribution whose values outside of [low, high] are put at its ends. Right where numbers begin to round. */
function clamped(distribution: ContinuousDistribution, low: number, high: number): ContinuousDistribution {
  return {
    ...distribution,
    low,
    high,
    cdf: (x) => (x <= low ? 0 : x > high ? 1 : distribution.cdf(x)),
    sf: (x) => (x <= low ? 1 : x > high ? 0 : distribution.sf(x)),
    quantile: (p) => Math.min(high, Math.max(low, distribution.quantile(p))),
  }
}

/** The distribution whose values from `from` on are put at `low`, so that `high` is the largest. */
function wrapped(
  distribution: ContinuousDistribution,
  low: number,
  from: number,
  high: number,
): ContinuousDistribution {
  const moved = distribution.sf(from)
  return {
    ...clamped(distribution, low, high),
    cdf: (x) => (x <= low ? 0 : x > high ? 1 : distribution.cdf(x) + moved),
    sf: (x) => (x <= low ? 1 : x > high ? 0 : distribution.sf(x) - moved),
  }
}

function normal(mean: number, std: number): ContinuousDistribution {
  return {
    cdf: (x) => normalSf((mean - x) / std),
    sf: (x) => normalSf((x - mean) / std),
    quantile: (p) => mean + std * (p < 0.5 ? -normalIsf(p) : normalIsf(1 - p)),
    density: (x) => normalDensity((x - mean) / std) / std,
    mean,
    std,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
    proxy: 1,
    normal: true,
  }
}

/**
 * The interval is mirrored, if need be, so that most of it lies above the mean: both tails are then differences of small
 * numbers. Its proxy is the untruncated normal's variance: a restriction to an interval makes a normal distribution only more
 * concentrated about its mean (Bakry and Emery 1985; Caffarelli 2000); for symmetric bounds it is 1.
 */
function truncatedNormal(
  distribution: DistributionOf<'truncated-normal'>,
  rounded: (x: number) => number = fround,
): ContinuousDistribution {
  const { low, high } = distribution
  const mean = rounded(distribution.mean)
  const std = rounded(distribution.std)
  const a = (low - mean) / std
  const b = (high - mean) / std
  const mirrored = a + b < 0
  const [alpha, beta] = mirrored ? [-b, -a] : [a, b]
  const bottom = normalSf(alpha)
  const top = normalSf(beta)
  const mass = bottom - top
  /** P(Z >= z) and P(Z < z) of the mirrored distribution. */
  const sfOf = (z: number): number => (z <= alpha ? 1 : z >= beta ? 0 : (normalSf(z) - top) / mass)
  const cdfOf = (z: number): number =>
    z <= alpha
      ? 0
      : z >= beta
        ? 1
        : alpha < 0
          ? (normalSf(-z) - normalSf(-alpha)) / mass
          : (bottom - normalSf(z)) / mass
  const quantileOf = (p: number): number =>
    Math.min(beta, Math.max(alpha, normalIsf(Math.min(1 - 1e-17, top + (1 - p) * mass))))
  const moments = truncatedNormalMoments({ mean, std, low, high })
  const symmetric = Math.abs(a + b) < 1e-9
  return {
    cdf: (x) => (mirrored ? sfOf((mean - x) / std) : cdfOf((x - mean) / std)),
    sf: (x) => (mirrored ? cdfOf((mean - x) / std) : sfOf((x - mean) / std)),
    quantile: (p) => mean + std * (mirrored ? -quantileOf(1 - p) : quantileOf(p)),
    density: (x) => (x < low || x > high ? 0 : normalDensity((x - mean) / std) / std / mass),
    ...moments,
    low,
    high,
    variants() {
      const inside = [nextAtLeast(low), nextAtMost(high)] as const
      const nearest = [Math.fround(low), Math.fround(high)] as const
      // A value is put at the bound that it was rounded past; or drawn, rounded, and redrawn if it is past a bound.
      return [
        ...(inside[0] <= inside[1] ? [clamped(this, ...inside), redrawn(distribution, inside, fround)] : []),
        redrawn(distribution, nearest, fround),
        redrawn(distribution, nearest, (x) => x),
      ]
    },
    slack: 2 ** -22 * Math.max(Math.abs(mean), Math.abs(mean - std * Math.min(Math.abs(a), Math.abs(b)))),
    // Hoeffding's lemma bounds it too: (b - a)^2 / 4.
    proxy: symmetric ? 1 : Math.max(1, Math.min(std, (high - low) / 2) ** 2 / moments.std ** 2),
  }
}

/** Rounded normals from `least` to `most`: drawn from the reals that round to these numbers. */
function redrawn(
  distribution: DistributionOf<'truncated-normal'>,
  [least, most]: readonly [number, number],
  rounded: (x: number) => number,
): ContinuousDistribution {
  const low = Number.isFinite(least) ? (nextBelow(least) + least) / 2 : least
  const high = Number.isFinite(most) ? (most - nextBelow(-most)) / 2 : most
  return { ...truncatedNormal({ ...distribution, low, high }, rounded), low: least, high: most }
}
