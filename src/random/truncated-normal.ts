// CPU reference of shaders/distributions/truncated_normal.wgsl, and the constants that the host computes for that shader.

import { WeightInitError } from '../core/errors.js'
import { inverseNormalTail } from './inverse-normal.js'
import { high32, low32 } from './keys.js'
import { normalDensity, normalSf } from './normal-cdf.js'
import { multiplyHigh } from './philox.js'
import { nextBelow } from './uniform.js'

const fround = Math.fround
const LARGEST = 3.4028234663852886e38

/** N(mean, std^2), conditioned on [low, high]. The bounds are absolute and may be infinite. */
export interface TruncatedNormalDistribution {
  readonly mean: number
  readonly std: number
  readonly low: number
  readonly high: number
}

/** The distribution in the form that the shader takes. Probabilities are 64-bit integers in units of 2^-64 scale. */
export interface TruncatedNormalConstants {
  /** Phi of the lower bound, plus half of the probability that one word stands for. */
  readonly start: bigint
  /** The probability of the interval. */
  readonly mass: bigint
  /** 0x80000000 if the interval extends beyond the mean, where a set top bit means the other tail; otherwise 0. */
  readonly upperBit: number
  /** 2^-shift. A probability is its integer times 2^-64 times `scale`. */
  readonly scale: number
  readonly shift: number
  /** std as a float32, negative if the interval was mirrored to bring its longer side below the mean. */
  readonly signedStd: number
  readonly mean: number
  /** The smallest and the largest float32 within the bounds. */
  readonly low: number
  readonly high: number
}

/** The largest distance, in std, from the mean to the nearer bound of an interval that does not contain the mean. */
export const FARTHEST_BOUND = 8.5

/**
 * The constants for the sampler. The interval is mirrored if necessary, so that its longer side is below the mean: the
 * probability of a lower tail has the same relative precision however small it is.
 * @throws WeightInitError `INVALID_CONFIG` for an interval that contains no float32 or lies more than 8.5 std from the mean
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
  // Phi(beta) - Phi(alpha). Phi(beta) is computed from the tail on the side of beta, so that no digits cancel.
  const massValue = beta <= 0 ? normalSf(-beta) - pLow : 1 - normalSf(beta) - pLow
  const wanted = BigInt(Math.floor((massValue / scale) * 2 ** 64))
  const room = 2n ** 64n - 1n - start
  const mass = wanted < room ? wanted : room
  // Infinite bounds become the largest float32, because WGSL does not guarantee that infinities work.
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

/** The shader's twelve 32-bit constants. */
export function packTruncatedNormal(c: TruncatedNormalConstants): Uint32Array {
  const bits = new Uint32Array(12)
  const floats = new Float32Array(bits.buffer)
  bits.set([low32(c.start), high32(c.start), low32(c.mass), high32(c.mass), c.upperBit])
  floats.set([c.scale, c.signedStd, c.mean, c.low, c.high], 5)
  bits[10] = c.shift
  return bits
}

/** The 64-bit integer (high, low) times 2^-64 as a float32, with three roundings in the order of the shader. */
export function fixed64ToFloat(high: number, low: number): number {
  const top = fround((high >>> 0) * 2 ** -32)
  return fround(top + fround((low >>> 0) * 2 ** -64))
}

/**
 * 1 - 2 p for a probability p = (high, low) 2^-64 2^-shift <= 1/2, which is twice its distance from 1/2. It is computed from
 * the integer, so that it has 24 significant bits however close p is to 1/2. Rounded once, ties to even; at least 2^-63.
 */
export function distanceToHalf(high: number, low: number, shift: number): number {
  // The integer p 2^64. The bits that `shift` moves below its end are dropped.
  let top = high >>> 0
  let bottom = low >>> 0
  if (shift >= 32) [top, bottom] = [0, top >>> (shift - 32)]
  else if (shift > 0) [top, bottom] = [top >>> shift, ((top << (32 - shift)) | (bottom >>> shift)) >>> 0]
  // 2^63 minus that integer.
  top = 0x80000000 - top - (bottom === 0 ? 0 : 1)
  bottom = -bottom >>> 0
  // A float64 has 53 bits. All bits below them are combined into one, so that the rounding to float32 is correct.
  if (top >= 2 ** 21) bottom = ((bottom & ~0x7ff) | ((bottom & 0x7ff) === 0 ? 0 : 0x800)) >>> 0
  return fround((top * 2 ** 32 + bottom) * 2 ** -63)
}

/**
 * The value of a word: the inverse distribution function at start + mass (word + 1/2) 2^-32. Same bits on every device.
 */
export function truncatedNormalValue(word: number, bits: Uint32Array, floats: Float32Array): number {
  const massLow = bits[2]!
  const massHigh = bits[3]!
  // start + floor(mass * word / 2^32), in 64 bits.
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

/**
 * The mean and standard deviation of the distribution (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1,
 * section 13.10).
 */
export function truncatedNormalMoments({ mean, std, low, high }: TruncatedNormalDistribution): {
  mean: number
  std: number
} {
  const alpha = (low - mean) / std
  const beta = (high - mean) / std
  // Both tails are taken on the side where they are small numbers, so that their difference loses no digits.
  const mass = alpha > 0 ? normalSf(alpha) - normalSf(beta) : normalSf(-beta) - normalSf(-alpha)
  const at = (z: number): number => (Number.isFinite(z) ? z * normalDensity(z) : 0)
  const shift = (normalDensity(alpha) - normalDensity(beta)) / mass
  const variance = 1 + (at(alpha) - at(beta)) / mass - shift * shift
  return { mean: mean + std * shift, std: std * Math.sqrt(Math.max(0, variance)) }
}

/** The smallest float32 >= x. */
export function nextAtLeast(x: number): number {
  const f = fround(x)
  return f >= x ? f : -nextBelow(-f)
}

/** The largest float32 <= x. */
export function nextAtMost(x: number): number {
  const f = fround(x)
  return f <= x ? f : nextBelow(f)
}
