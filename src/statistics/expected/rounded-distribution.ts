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
/** A generator's tails end where at least this share of its grain is left. */
const LEAST_TAIL = 1 / 32

export interface RoundedDistribution {
  readonly continuous: ContinuousDistribution
  readonly dtype: FloatDType
  /** Single values may be this much more likely than the continuous distribution says, and tails may lack as much. */
  readonly grain: number
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
  /** Upper bounds on P(value >= x) and P(value <= x) of a generator with this grain. */
  tailAbove(x: number): number
  tailBelow(x: number): number
  /** An upper bound on the probability of any one number. */
  readonly largestAtom: number
  /** An upper bound on the probability that two independent values are equal. */
  readonly collision: number
  /** An upper bound on P(value = 0). */
  readonly zeroProbability: number
  /** Every value is >= low and <= high: the distribution's bounds, rounded. */
  readonly low: number
  readonly high: number
  /** How far a value may lie beyond them, from sums whose terms are rounded one by one. */
  readonly slack: number
  /** No real number that rounds to a number of the dtype is further from it than this, within 9 std of the mean. */
  readonly largestRounding: number
  /** Only where a bounded range holds few numbers: what other generators make of its ends. Valid values follow one of them. */
  readonly variants: readonly RoundedDistribution[]
}

/** A shift in standard errors that changes no p-value that matters. */
export const NOTICED: number = 2 ** -6

/**
 * Whether the generator has so few values, of so unequal shares, that n draws show them: a far tail by inversion of a float32
 * uniform. Of those only the bounds are known.
 */
export const isCoarse = ({ grain }: RoundedDistribution, n: number): boolean => grain * Math.sqrt(n) > NOTICED

/** How far out, in std, the nodes of an unbounded distribution go: what lies beyond has probability 1e-18. */
const NODE_REACH = 9
/** Up to so many numbers in its range, a distribution's moments are sums over them; with more, over the continuous distribution. */
const FEW_NUMBERS = 2048
/** Draws of a sparse distribution that round to 0, above which the others' moments are summed over all numbers. */
const NOTICED_ZEROS = 2 ** -20

/**
 * Of a distribution without a density (constant, diagonal, orthogonal, a sampler of one's own): undefined.
 * @param grain of the generator
 */
export function roundedDistribution(
  distribution: Distribution,
  dtype: FloatDType,
  grain: number = GRAIN,
): RoundedDistribution | undefined {
  const continuous = continuousDistribution(distribution)
  if (continuous === undefined) return undefined
  const edges = edgesOf(continuous, dtype)
  const rounded = roundedFrom(continuous, dtype, edges, grain)
  if (continuous.variants === undefined || numbersWithin(continuous, dtype) >= FEW_NUMBERS) return rounded
  const variants = continuous.variants().map((variant) => roundedFrom(variant, dtype, edges, grain))
  return { ...rounded, variants }
}

function roundedFrom(
  continuous: ContinuousDistribution,
  dtype: FloatDType,
  edges: Float32Array,
  grain: number,
): RoundedDistribution {
  const boundaries = [...edges].map((edge) => roundingBoundary(edge, dtype))
  const cdf = (x: number): number => continuous.cdf(upperBoundary(x, dtype))
  const sf = (x: number): number => continuous.sf(roundingBoundary(x, dtype))
  const atom = (x: number): number => between(continuous, roundingBoundary(x, dtype), upperBoundary(x, dtype))
  const low = roundToDType(continuous.low, dtype)
  const high = roundToDType(continuous.high, dtype)
  const probabilities = new Float64Array(edges.length + 1)
  for (let bin = 0; bin <= edges.length; bin++) {
    probabilities[bin] = between(continuous, boundaries[bin - 1], boundaries[bin])
  }
  const zero = atom(0)
  if (continuous.zeroInflated && zero < 1) {
    // Elements that are 0 tell nothing: the draws that are looked at are those that did not round to 0.
    probabilities[edges.filter((edge) => edge <= 0).length]! -= zero
    for (let bin = 0; bin <= edges.length; bin++) probabilities[bin]! /= 1 - zero
  }
  const { nodes, ...moments } = roundedMoments(continuous, dtype)
  const { quantile } = continuous
  const reach = (outer: number, inner: number): number => roundToDType(2 * quantile(outer) - quantile(inner), dtype)
  const lowest = reach(LEAST_TAIL * grain, grain)
  const highest = reach(1 - LEAST_TAIL * grain, 1 - grain)
  const inside = (x: number): number => Math.min(high, Math.max(low, x))
  const largestAtom =
    nodes === undefined
      ? // The density is largest in proportion to the spacing at one of the edges or near one: twice what is found there.
        Math.min(1, 2 * Math.max(grain, ...[...edges].map(atom)))
      : Math.min(1, nodes.weights.reduce((a, b) => Math.max(a, b), 0) + grain)
  const most = (values: Iterable<number>): number => Math.max(...values)
  return {
    continuous,
    dtype,
    grain,
    edges,
    probabilities,
    ...moments,
    productCumulants: chainProductCumulants,
    cdf,
    sf,
    next: (x, step) => atOrdinal(ordinal(x, dtype) + step, dtype),
    tailAbove: (x) => Math.min(1, sf(inside(x)) + (x <= highest ? grain : 0)),
    tailBelow: (x) => Math.min(1, cdf(inside(x)) + (x >= lowest ? grain : 0)),
    largestAtom,
    collision:
      nodes === undefined
        ? // Within a bin no number is likelier than twice those at its ends.
          [...probabilities].reduce(
            (sum, p, bin) =>
              sum + p * Math.min(p, 2 * most([grain, ...[...edges.slice(Math.max(0, bin - 1), bin + 1)].map(atom)])),
            0,
          )
        : Math.min(1, nodes.weights.reduce((sum, w) => sum + w * w, 0) + grain),
    zeroProbability: Math.min(1, zero + grain),
    low,
    high,
    slack: continuous.slack ?? 0,
    variants: [],
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

type RoundedMoments = Pick<
  RoundedDistribution,
  'mean' | 'std' | 'kurtosis' | 'meanCumulants' | 'squareCumulants' | 'proxy' | 'largestRounding'
> & {
  /** Every number with its probability, where there are few. */
  readonly nodes?: Nodes
}

/** First and last number within `NODE_REACH` of the mean. */
function placesWithin(distribution: ContinuousDistribution, dtype: FloatDType): readonly [first: number, last: number] {
  const low = Math.max(distribution.low, distribution.mean - NODE_REACH * distribution.std)
  const high = Math.min(distribution.high, distribution.mean + NODE_REACH * distribution.std)
  return [ordinal(roundToDType(low, dtype), dtype), ordinal(roundToDType(high, dtype), dtype)]
}

function numbersWithin(distribution: ContinuousDistribution, dtype: FloatDType): number {
  const [first, last] = placesWithin(distribution, dtype)
  return last - first + 1
}

/**
 * Mean, variance and cumulants of the rounded values. Where the range holds few numbers: sums over all of them with their
 * exact probabilities. Else rounding adds, to far below what a test could see, the variance of an error that is uniform
 * over the spacing, spacing^2 / 12, in each binade (Sheppard 1898).
 */
function roundedMoments(distribution: ContinuousDistribution, dtype: FloatDType): RoundedMoments {
  const [first, last] = placesWithin(distribution, dtype)
  const ends = [atOrdinal(first, dtype), atOrdinal(last, dtype)] as const
  const atom = (x: number): number => between(distribution, roundingBoundary(x, dtype), upperBoundary(x, dtype))
  const largestRounding = spacingAt(Math.max(Math.abs(ends[0]), Math.abs(ends[1])), dtype) / 2
  // Without the draws that round to 0 the others are no rounded normals any more.
  const withoutZero = distribution.zeroInflated === true && atom(0) > NOTICED_ZEROS
  if (last - first < FEW_NUMBERS || withoutZero) {
    const places = Array.from({ length: last - first + 1 }, (_, i) => atOrdinal(first + i, dtype))
    const weights = places.map((x) => (x === 0 && distribution.zeroInflated ? 0 : atom(x)))
    const total = weights.reduce((a, b) => a + b, 0)
    if (total > 0) {
      const nodes = { points: Float64Array.from(places), weights: Float64Array.from(weights, (w) => w / total) }
      const moments = momentsOfNodes(nodes, true)
      const proxy =
        last - first < 64
          ? proxyOf(nodes, moments.mean, moments.std)
          : roundedProxy(distribution, largestRounding, moments.std)
      return { ...moments, proxy, largestRounding, nodes }
    }
  }
  const inflation = 1 + roundingVariance(distribution, dtype, ends[0], ends[1]) / distribution.std ** 2
  const std = distribution.std * Math.sqrt(inflation)
  const proxy = roundedProxy(distribution, largestRounding, std)
  if (distribution.normal) {
    return {
      mean: distribution.mean,
      std,
      kurtosis: 3,
      meanCumulants: 'normal',
      squareCumulants: normalSquareCumulants,
      proxy,
      largestRounding,
    }
  }
  const low = Math.max(distribution.low, distribution.mean - NODE_REACH * distribution.std)
  const high = Math.min(distribution.high, distribution.mean + NODE_REACH * distribution.std)
  const nodes = densityNodes((x) => distribution.density(x), low, high, 8)
  return { ...momentsOfNodes(nodes, false), mean: distribution.mean, std, proxy, largestRounding }
}

/** Standard deviations of a sum add up at most, and so do the roots of proxies; a rounding error's is at most half its range. */
const roundedProxy = (distribution: ContinuousDistribution, largestRounding: number, std: number): number =>
  ((Math.sqrt(distribution.proxy) * distribution.std + largestRounding) / std) ** 2

/** The largest 2 ln E exp(t u) / t^2 over t, for u = (value - mean) / std, looked for on a grid. */
function proxyOf({ points, weights }: Nodes, mean: number, std: number): number {
  let largest = 1
  if (std === 0) return largest
  for (let step = -24; step <= 24; step++) {
    for (const t of [2 ** (step / 4), -(2 ** (step / 4))]) {
      let sum = 0
      for (let i = 0; i < points.length; i++) sum += weights[i]! * Math.expm1((t * (points[i]! - mean)) / std)
      if (Number.isFinite(sum)) largest = Math.max(largest, (2 * Math.log1p(sum)) / (t * t))
    }
  }
  // Between two points of the grid it is little more.
  return 1.05 * largest
}

function momentsOfNodes(
  { points, weights }: Nodes,
  discrete: boolean,
): Omit<RoundedMoments, 'proxy' | 'largestRounding'> {
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
