// CPU reference of shaders/distributions/truncated_normal.wgsl, and the host's part of it.

import { WeightInitError } from '../core/errors.js'
import { inverseNormalTail } from './inverse-normal.js'
import { high32, low32 } from './keys.js'
import { normalDensity, normalSf } from './normal-cdf.js'
import { multiplyHigh } from './philox.js'
import { nextBelow } from './uniform.js'

const fround = Math.fround
const LARGEST = 3.4028234663852886e38

/** N(mean, std^2) given that it lies in [low, high]; absolute bounds, which may be infinite. */
export interface TruncatedNormalDistribution {
  readonly mean: number
  readonly std: number
  readonly low: number
  readonly high: number
}

/** The distribution as the shader takes it. Probabilities are 64-bit integers, units of 2^-64 / scale. */
export interface TruncatedNormalConstants {
  /** Phi of the lower bound, plus half a step of the word. */
  readonly start: bigint
  /** Probability of the interval. */
  readonly mass: bigint
  /** 0x80000000 where the interval reaches past the mean, so that a high bit means the other tail; else 0. */
  readonly upperBit: number
  /** 2^-shift: real probability = integer 2^-64 scale. */
  readonly scale: number
  readonly shift: number
  /** float32 std; negative where the interval was mirrored to bring its larger part below the mean. */
  readonly signedStd: number
  readonly mean: number
  /** Smallest and largest float32 within the bounds. */
  readonly low: number
  readonly high: number
}

/** How far from the mean, in std, the nearer bound may be when the interval does not contain the mean. */
export const FARTHEST_BOUND = 8.5

/**
 * Constants for the sampler. The interval is mirrored, if need be, so that its longer side is below the mean: a lower
 * tail keeps its relative precision however small it is.
 * @throws WeightInitError `INVALID_CONFIG` for an interval that holds no float32 or lies more than 8.5 std from the mean
 */
export function truncatedNormalConstants(
  { mean, std, low, high }: TruncatedNormalDistribution,
  where: string,
): TruncatedNormalConstants {
  let alpha = (low - mean) / std
  let beta = (high - mean) / std
  const mirrored = alpha + beta > 0
  if (mirrored) [alpha, beta] = [-beta, -alpha]
  if (beta < -FARTHEST_BOUND) {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `${where}: the interval [${low}, ${high}] lies ${(-beta).toPrecision(3)} std from the mean ${mean} (std ${std}); the ` +
        `nearer bound may be at most ${FARTHEST_BOUND} std away. Move the mean or the bounds.`,
    )
  }
  const pLow = normalSf(-alpha)
  let shift = 0
  for (let scaled = beta <= 0 ? normalSf(-beta) : 1; scaled < 0.5; scaled *= 2) shift++
  const scale = 2 ** -shift
  const start = BigInt(Math.floor((pLow / scale) * 2 ** 64))
  // Phi(beta) - Phi(alpha); above the mean from the complements' side, so that no digits cancel.
  const massValue = beta <= 0 ? normalSf(-beta) - pLow : 1 - normalSf(beta) - pLow
  const wanted = BigInt(Math.floor((massValue / scale) * 2 ** 64))
  const room = 2n ** 64n - 1n - start
  const mass = wanted < room ? wanted : room
  // Infinite bounds become the largest float32: WGSL need not honour infinities.
  const [lowest, highest] = [nextAtLeast(Math.max(low, -LARGEST)), nextAtMost(Math.min(high, LARGEST))]
  if (mass < 2n ** 32n || lowest > highest) {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `${where}: the interval [${low}, ${high}] is too narrow for std ${std}: it holds no float32 or hardly any probability. Widen it, or use a uniform distribution.`,
    )
  }
  return {
    start: start + (mass >> 33n),
    mass,
    upperBit: beta > 0 ? 0x80000000 : 0,
    scale,
    shift,
    signedStd: mirrored ? -fround(std) : fround(std),
    mean: fround(mean),
    low: lowest,
    high: highest,
  }
}

/** The twelve 32-bit constants of the shader's distribution. */
export function packTruncatedNormal(c: TruncatedNormalConstants): Uint32Array {
  const bits = new Uint32Array(12)
  const floats = new Float32Array(bits.buffer)
  bits.set([low32(c.start), high32(c.start), low32(c.mass), high32(c.mass), c.upperBit])
  floats.set([c.scale, c.signedStd, c.mean, c.low, c.high], 5)
  bits[10] = c.shift
  return bits
}

/** (high, low) / 2^64 as float32; three roundings, in this order. */
export function fixed64ToFloat(high: number, low: number): number {
  const top = fround((high >>> 0) * 2 ** -32)
  return fround(top + fround((low >>> 0) * 2 ** -64))
}

/**
 * 1 - 2 p for a probability p = (high, low) 2^-64 2^-shift <= 1/2: twice its distance to 1/2, from the integer, so that it
 * keeps 24 bits however close to 1/2 p is. One rounding, to nearest even; at least 2^-63.
 */
export function distanceToHalf(high: number, low: number, shift: number): number {
  // The integer p / 2^-64, without what `shift` takes off its end.
  let top = high >>> 0
  let bottom = low >>> 0
  if (shift >= 32) [top, bottom] = [0, top >>> (shift - 32)]
  else if (shift > 0) [top, bottom] = [top >>> shift, ((top << (32 - shift)) | (bottom >>> shift)) >>> 0]
  // 2^63 minus it.
  top = 0x80000000 - top - (bottom === 0 ? 0 : 1)
  bottom = -bottom >>> 0
  // A float64 has 53 bits. Whatever lies below them is kept as one bit, which makes the one rounding to float32 right.
  if (top >= 2 ** 21) bottom = ((bottom & ~0x7ff) | ((bottom & 0x7ff) === 0 ? 0 : 0x800)) >>> 0
  return fround((top * 2 ** 32 + bottom) * 2 ** -63)
}

/** One value from a word: inverse distribution function at start + mass (word + 1/2) 2^-32. Exact. */
export function truncatedNormalValue(word: number, bits: Uint32Array, floats: Float32Array): number {
  const massLow = bits[2]!
  const massHigh = bits[3]!
  // start + floor(mass * word / 2^32), 64 bits.
  const productLow = Math.imul(massHigh, word) >>> 0
  const carryIn = multiplyHigh(massLow, word)
  let low = (productLow + carryIn) >>> 0
  let high = (multiplyHigh(massHigh, word) + (low < carryIn ? 1 : 0)) >>> 0
  const startLow = bits[0]!
  low = (low + startLow) >>> 0
  high = (high + bits[1]! + (low < startLow ? 1 : 0)) >>> 0
  const upper = (high & bits[4]!) !== 0
  if (upper) {
    high = ~high
    low = ~low
  }
  const q = fixed64ToFloat(high, low) * floats[5]!
  const z = inverseNormalTail(q, distanceToHalf(high, low, bits[10]!))
  const value = fround(fround((upper ? z : -z) * floats[6]!) + floats[7]!)
  return Math.min(Math.max(value, floats[8]!), floats[9]!)
}

/** Mean and standard deviation of the distribution (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, 13.10). */
export function truncatedNormalMoments({ mean, std, low, high }: TruncatedNormalDistribution): {
  mean: number
  std: number
} {
  const alpha = (low - mean) / std
  const beta = (high - mean) / std
  // On the lower side of the mean both tails are small numbers: their difference keeps its digits.
  const mass = alpha > 0 ? normalSf(alpha) - normalSf(beta) : normalSf(-beta) - normalSf(-alpha)
  const at = (z: number): number => (Number.isFinite(z) ? z * normalDensity(z) : 0)
  const shift = (normalDensity(alpha) - normalDensity(beta)) / mass
  const variance = 1 + (at(alpha) - at(beta)) / mass - shift * shift
  return { mean: mean + std * shift, std: std * Math.sqrt(Math.max(0, variance)) }
}

function nextAtLeast(x: number): number {
  const f = fround(x)
  return f >= x ? f : -nextBelow(-f)
}

function nextAtMost(x: number): number {
  const f = fround(x)
  return f <= x ? f : nextBelow(f)
}
