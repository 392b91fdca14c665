// Distributions as textbooks have them, in float64, and the tests of a sample against one: the reference for every initializer.
import type { FloatDType } from '../../../src/core/dtype.js'
import { normalSf } from '../../../src/random/normal-cdf.js'
import { magnitudes, narrowFormatOf } from './half.js'

/** A continuous distribution by its exact distribution function. All of it, or all but 1e-18, lies in [low, high]. */
export interface ReferenceDistribution {
  readonly cdf: (x: number) => number
  readonly low: number
  readonly high: number
}

export const uniformDistribution = (low: number, high: number): ReferenceDistribution => ({
  cdf: (x) => Math.min(1, Math.max(0, (x - low) / (high - low))),
  low,
  high,
})
export const symmetric = (bound: number): ReferenceDistribution => uniformDistribution(-bound, bound)

export const normalDistribution = (mean: number, std: number): ReferenceDistribution => ({
  cdf: (x) => normalSf((mean - x) / std),
  low: mean - 9 * std,
  high: mean + 9 * std,
})

/** N(mean, std^2) given that it lies in [low, high]; from the nearer tail, so that a far interval keeps its digits. */
export function truncatedDistribution(mean: number, std: number, low: number, high: number): ReferenceDistribution {
  const sign = low > mean ? 1 : -1
  const tail = (x: number): number => normalSf((sign * (x - mean)) / std)
  const [atLow, atHigh] = [tail(low), tail(high)]
  const cdf = (x: number): number => (x <= low ? 0 : x >= high ? 1 : (tail(x) - atLow) / (atHigh - atLow))
  return { cdf, low: Math.max(low, mean - 9 * std), high: Math.min(high, mean + 9 * std) }
}

/** JAX's and Keras's corrected truncated normal of this variance; the constant is theirs. */
export function correctedDistribution(variance: number): ReferenceDistribution {
  const wide = Math.sqrt(variance) / 0.87962566103423978
  return truncatedDistribution(0, wide, -2 * wide, 2 * wide)
}

/**
 * scale times one coordinate of a point that is uniform on the unit sphere of R^n: density ~ (1 - x^2)^((n - 3) / 2), its
 * square Beta(1/2, (n - 1)/2). With x = sin t it is an integral of cos^(n - 2), which has a closed form.
 */
export function sphereCoordinateDistribution(n: number, scale = 1): ReferenceDistribution {
  const integral = (power: number, t: number): number => {
    if (power === 0) return t
    if (power === 1) return Math.sin(t)
    return (Math.cos(t) ** (power - 1) * Math.sin(t) + (power - 1) * integral(power - 2, t)) / power
  }
  const whole = 2 * integral(n - 2, Math.PI / 2)
  const cdf = (x: number): number =>
    0.5 + integral(n - 2, Math.asin(Math.min(1, Math.max(-1, x / Math.abs(scale))))) / whole
  return { cdf, low: -Math.abs(scale), high: Math.abs(scale) }
}

export interface DistributionMoments {
  readonly mean: number
  readonly variance: number
  /** Fourth central moment. */
  readonly fourth: number
}

const known = new WeakMap<ReferenceDistribution, DistributionMoments>()

/** Mean and central moments 2 and 4, from the distribution function: no formula that could be wrong with it. */
export function momentsOfDistribution(distribution: ReferenceDistribution): DistributionMoments {
  const before = known.get(distribution)
  if (before !== undefined) return before
  const { cdf, low, high } = distribution
  const cells = 20_000
  const middle = (i: number): number => low + ((i + 0.5) / cells) * (high - low)
  const edges = Float64Array.from({ length: cells + 1 }, (_, i) => cdf(low + (i / cells) * (high - low)))
  const expectation = (f: (x: number) => number): number => {
    let sum = 0
    for (let i = 0; i < cells; i++) sum += f(middle(i)) * (edges[i + 1]! - edges[i]!)
    return sum
  }
  const mean = expectation((x) => x)
  const moments = {
    mean,
    variance: expectation((x) => (x - mean) ** 2),
    fourth: expectation((x) => (x - mean) ** 4),
  }
  known.set(distribution, moments)
  return moments
}

/** Half the distance from x to its neighbours in a dtype, away from zero and towards it: what is rounded to x. */
function halfGaps(x: number, dtype: FloatDType): readonly [away: number, towards: number] {
  const format = narrowFormatOf(dtype)
  if (format === undefined) return [0, 0]
  const { fractionBits, bias } = format
  const least = 2 ** (1 - bias - fractionBits)
  const power = 2 ** Math.floor(Math.log2(Math.abs(x)))
  const gap = Math.max(power * 2 ** -fractionBits, least)
  return [gap / 2, Math.abs(x) === power ? Math.max(gap / 2, least) / 2 : gap / 2]
}

/** The same of the distribution rounded to a dtype: sums over the numbers of an 8-bit one; wider ones change nothing that a test sees. */
function momentsOfRounded(distribution: ReferenceDistribution, dtype: FloatDType): DistributionMoments {
  const format = narrowFormatOf(dtype)
  if (format?.bits !== 8) return momentsOfDistribution(distribution)
  const { cdf } = distribution
  const positive = [...magnitudes(format)]
  const numbers = [...positive.slice(1).map((x) => -x), ...positive]
  const weights = numbers.map((x) => {
    const [away, towards] = halfGaps(x, dtype)
    return cdf(x + (x > 0 ? away : towards)) - cdf(x - (x > 0 ? towards : away))
  })
  const expectation = (f: (x: number) => number): number => numbers.reduce((sum, x, i) => sum + f(x) * weights[i]!, 0)
  const mean = expectation((x) => x)
  return {
    mean,
    variance: expectation((x) => (x - mean) ** 2),
    fourth: expectation((x) => (x - mean) ** 4),
  }
}

/**
 * Kolmogorov-Smirnov distance between a sample and a distribution that is rounded to the dtype: exact for the rounded distribution too,
 * whose distribution function at x is the continuous one's half-way to the next value.
 */
export function ksDistance(values: ArrayLike<number>, { cdf }: ReferenceDistribution, dtype: FloatDType): number {
  const sorted = Float64Array.from(values).sort()
  const n = sorted.length
  let distance = 0
  for (let i = 0; i < n; ) {
    const x = sorted[i]!
    let next = i + 1
    while (next < n && sorted[next] === x) next++
    const [away, towards] = halfGaps(x, dtype)
    const above = cdf(x + (x > 0 ? away : towards))
    const below = away === 0 ? above : cdf(x - (x > 0 ? towards : away))
    distance = Math.max(distance, Math.abs(above - next / n), Math.abs(below - i / n))
    i = next
  }
  return distance
}

/** P(distance > 3 / sqrt(n)) <= 2 e^-18 = 3e-8 (Dvoretzky, Kiefer, Wolfowitz; Massart); values have 24 bits or more. */
export const ksLimit = (n: number): number => 3 / Math.sqrt(n) + 2 ** -23

/**
 * Mean and variance of the sample in standard errors from the distribution's: beyond 6 with probability 2e-9 each, by the central
 * limit theorem.
 */
export function momentScores(
  values: ArrayLike<number>,
  distribution: ReferenceDistribution,
  dtype: FloatDType = 'float32',
): { mean: number; variance: number } {
  const n = values.length
  const { mean, variance, fourth } = momentsOfRounded(distribution, dtype)
  let [first, second] = [0, 0]
  for (let i = 0; i < n; i++) {
    first += values[i]! - mean
    second += (values[i]! - mean) ** 2
  }
  return {
    mean: first / n / Math.sqrt(variance / n),
    variance: (second / n - variance) / Math.sqrt((fourth - variance ** 2) / n),
  }
}
