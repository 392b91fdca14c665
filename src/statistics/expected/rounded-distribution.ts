// What a random distribution promises of the numbers that are stored: rounded to the dtype.

import { type FloatDType, roundToDType } from '../../core/dtype.js'
import type { Distribution } from '../../ir/distribution.js'
import { type ContinuousDistribution, continuousDistribution } from './continuous.js'
import { densityNodes, type Nodes } from './quadrature.js'
import { atOrdinal, ordinal, roundingBoundary } from './representable.js'
import { type CumulantFunction, chainProductCumulants, cumulantsOf, normalSquareCumulants } from './saddlepoint.js'

/** Bins of a histogram: equally likely, as far as the dtype has numbers to cut between. */
export const BIN_COUNT = 64

/**
 * How fine a generator is that draws this distribution as well as float32 allows: 2^-22. Many draw from 23 or 24 random bits, so
 * that their tails end where less than that is left, and single values are that likely.
 */
export const GRAIN: number = 2 ** -22

export interface RoundedDistribution {
  readonly continuous: ContinuousDistribution
  readonly dtype: FloatDType
  /** Rising representable numbers; bin b holds edges[b - 1] <= x < edges[b]. */
  readonly edges: Float32Array
  /** Of each bin: the measure of the reals that round into it. One more than edges; sum to 1. */
  readonly probabilities: Float64Array
  /** Of the rounded values. */
  readonly mean: number
  readonly std: number
  /** Of (value - mean) / std, and of its square. */
  readonly meanCumulants: CumulantFunction | 'normal'
  readonly squareCumulants: CumulantFunction
  /** Of products of independent values (value - mean) / std, once divided by `proxy`. */
  readonly productCumulants: CumulantFunction
  readonly proxy: number
  /** E ((value - mean) / std)^4. */
  readonly kurtosis: number
  /** P(value <= x) and P(value >= x) for a representable x. */
  cdf(x: number): number
  sf(x: number): number
  /** The representable number `step` places above x. */
  next(x: number, step: number): number
  /** An upper bound on the probability of any one number. */
  readonly largestAtom: number
  /** An upper bound on P(value = 0). */
  readonly zeroProbability: number
  /** Every value is >= low and <= high: the distribution's bounds, rounded. */
  readonly low: number
  readonly high: number
}

/** How far out, in std, the nodes of an unbounded distribution go: what lies beyond has probability 1e-18. */
const NODE_REACH = 9
/** Up to so many numbers in its range, a distribution's moments are sums over them; with more, over the continuous distribution. */
const FEW_NUMBERS = 2048

/** Of a distribution without a density (constant, diagonal, orthogonal, a sampler of one's own): undefined. */
export function roundedDistribution(distribution: Distribution, dtype: FloatDType): RoundedDistribution | undefined {
  const continuous = continuousDistribution(distribution)
  if (continuous === undefined) return undefined
  const edges = edgesOf(continuous, dtype)
  const boundaries = [...edges].map((edge) => roundingBoundary(edge, dtype))
  const cdf = (x: number): number => continuous.cdf(roundingBoundary(atOrdinal(ordinal(x, dtype) + 1, dtype), dtype))
  const sf = (x: number): number => continuous.sf(roundingBoundary(x, dtype))
  const probabilities = new Float64Array(edges.length + 1)
  for (let bin = 0; bin <= edges.length; bin++) {
    probabilities[bin] = between(continuous, boundaries[bin - 1], boundaries[bin])
  }
  const moments = roundedMoments(continuous, dtype)
  const atom = (x: number): number => between(continuous, roundingBoundary(x, dtype), upperBoundary(x, dtype))
  return {
    continuous,
    dtype,
    edges,
    probabilities,
    ...moments,
    productCumulants: chainProductCumulants,
    proxy: continuous.proxy,
    cdf,
    sf,
    next: (x, step) => atOrdinal(ordinal(x, dtype) + step, dtype),
    // The density is largest in proportion to the spacing at one of the edges or near one: twice what is found there.
    largestAtom: Math.min(1, 2 * Math.max(GRAIN, ...[...edges].map(atom))),
    zeroProbability: Math.min(1, atom(0) + GRAIN),
    low: roundToDType(continuous.low, dtype),
    high: roundToDType(continuous.high, dtype),
  }
}

const upperBoundary = (x: number, dtype: FloatDType): number =>
  roundingBoundary(atOrdinal(ordinal(x, dtype) + 1, dtype), dtype)

/** P(from <= X < to), from the side where the numbers are small. */
function between(
  distribution: ContinuousDistribution,
  from = Number.NEGATIVE_INFINITY,
  to = Number.POSITIVE_INFINITY,
): number {
  if (to === Number.POSITIVE_INFINITY) return from === Number.NEGATIVE_INFINITY ? 1 : distribution.sf(from)
  if (from === Number.NEGATIVE_INFINITY) return distribution.cdf(to)
  const below = distribution.cdf(to)
  return Math.max(0, below < 0.5 ? below - distribution.cdf(from) : distribution.sf(from) - distribution.sf(to))
}

/** The quantiles of k/64, rounded to the dtype; where several round to one number, that one once. */
function edgesOf(distribution: ContinuousDistribution, dtype: FloatDType): Float32Array {
  const edges: number[] = []
  for (let k = 1; k < BIN_COUNT; k++) {
    const edge = roundToDType(distribution.quantile(k / BIN_COUNT), dtype)
    if (edges.length === 0 || edge > edges.at(-1)!) edges.push(edge + 0)
  }
  return Float32Array.from(edges)
}

type RoundedMoments = Pick<RoundedDistribution, 'mean' | 'std' | 'kurtosis' | 'meanCumulants' | 'squareCumulants'>

/**
 * Mean, variance and cumulants of the rounded values. Where the range holds few numbers: sums over all of them with their
 * exact probabilities. Else rounding adds, to far below what a test could see, the variance of an error that is uniform
 * over the spacing, spacing^2 / 12, in each binade (Sheppard 1898).
 */
function roundedMoments(distribution: ContinuousDistribution, dtype: FloatDType): RoundedMoments {
  const low = Math.max(distribution.low, distribution.mean - NODE_REACH * distribution.std)
  const high = Math.min(distribution.high, distribution.mean + NODE_REACH * distribution.std)
  const first = ordinal(roundToDType(low, dtype), dtype)
  const last = ordinal(roundToDType(high, dtype), dtype)
  if (last - first < FEW_NUMBERS) {
    const places = Array.from({ length: last - first + 1 }, (_, i) => atOrdinal(first + i, dtype))
    const weights = places.map((x) => between(distribution, roundingBoundary(x, dtype), upperBoundary(x, dtype)))
    const total = weights.reduce((a, b) => a + b, 0)
    const nodes = { points: Float64Array.from(places), weights: Float64Array.from(weights, (w) => w / total) }
    return momentsOfNodes(nodes, true)
  }
  const inflation = 1 + roundingVariance(distribution, dtype, low, high) / distribution.std ** 2
  const std = distribution.std * Math.sqrt(inflation)
  if (distribution.normal) {
    return {
      mean: distribution.mean,
      std,
      kurtosis: 3,
      meanCumulants: 'normal',
      squareCumulants: normalSquareCumulants,
    }
  }
  const nodes = densityNodes((x) => distribution.density(x), low, high, 8)
  return { ...momentsOfNodes(nodes, false), mean: distribution.mean, std }
}

function momentsOfNodes({ points, weights }: Nodes, discrete: boolean): RoundedMoments {
  const expectation = (g: (x: number) => number): number => points.reduce((sum, x, i) => sum + weights[i]! * g(x), 0)
  // About a point of the support: a spread that is small beside the mean keeps its digits.
  const origin = points[points.length >> 1]!
  const mean = origin + expectation((x) => x - origin)
  const std = Math.sqrt(expectation((x) => (x - mean) ** 2))
  const standard: Nodes = { points: points.map((x) => (std === 0 ? 0 : (x - mean) / std)), weights }
  return {
    mean,
    std,
    kurtosis: standard.points.reduce((sum, u, i) => sum + weights[i]! * u ** 4, 0),
    meanCumulants: cumulantsOf(standard, (u) => u, discrete),
    squareCumulants: cumulantsOf(standard, (u) => u * u, discrete),
  }
}

function roundingVariance(distribution: ContinuousDistribution, dtype: FloatDType, low: number, high: number): number {
  // float32 from here on: 2^-24 of relative rounding is beyond any test of up to 2^40 elements.
  if (dtype === 'float32' && Math.max(Math.abs(low), Math.abs(high)) < 64 * distribution.std) return 0
  let sum = 0
  for (const sign of [1, -1]) {
    let top = Math.max(0, sign > 0 ? high : -low)
    for (let step = 0; step < 40 && top > 0; step++) {
      const bottom = 2 ** Math.floor(Math.log2(top) - (step === 0 ? 0 : 1e-12))
      const from = bottom < top ? bottom : top / 2
      const spacing = spacingAt(from, dtype)
      sum +=
        ((spacing * spacing) / 12) * (sign > 0 ? between(distribution, from, top) : between(distribution, -top, -from))
      top = from
    }
  }
  return sum
}

function spacingAt(x: number, dtype: FloatDType): number {
  const place = roundToDType(x, dtype)
  return atOrdinal(ordinal(place, dtype) + 1, dtype) - place
}
