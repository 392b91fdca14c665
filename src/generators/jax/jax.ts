// jax.random with Threefry2x32-20 (jax/_src/prng.py, random.py): bits, uniforms and normals. 'jax' is
// jax_threefry_partitionable=True, the default since 0.5.0; 'jax-legacy' is the layout before that.
// CPU reference of shaders/generators/jax_*.wgsl.

import type { DistributionOf } from '../../ir/distribution.js'
import type { JaxKey, JaxSource, RandomDistribution } from '../../ir/generator.js'
import { erfInv } from '../../random/libraries/erf-inv.js'
import { fusedMultiplyAdd } from '../../random/libraries/fma.js'
import { threefry2x32 } from '../../random/libraries/threefry.js'
import { nextBelow } from '../../random/uniform.js'
import { type AffineConstants, affineConstants, normalConstants } from '../draw-constants.js'
import { erf } from '../erf.js'

const fround = Math.fround
export const ROOT_TWO: number = /* @__PURE__ */ fround(Math.SQRT2)

/**
 * Writes `jax.random.bits(key, count, uint32)[first : first + out.length]` to `out`. Exact. With x0 and x1 the two words of a
 * Threefry block:
 * - 'jax' (partitionable): word i is x0 ^ x1 for the counter (high word of i, low word of i)
 * - 'jax-legacy': with h = ceil(count / 2), words i and i + h are x0 and x1 for the counter (i, i + h), or (i, 0) if i + h is
 *   past the end
 */
export function jaxBits({ generator, key, count }: JaxSource, first: number, out: Uint32Array): void {
  const pair = new Uint32Array(2)
  if (generator === 'jax') {
    for (let i = 0; i < out.length; i++) {
      const at = first + i
      threefry2x32(pair, key[0], key[1], Math.floor(at / 2 ** 32), at >>> 0)
      out[i] = pair[0]! ^ pair[1]!
    }
    return
  }
  const half = Math.ceil(count / 2)
  for (let i = 0; i < out.length; i++) {
    const at = first + i
    const low = at < half ? at : at - half
    threefry2x32(pair, key[0], key[1], low, low + half < count ? low + half : 0)
    out[i] = pair[at < half ? 0 : 1]!
  }
}

/** The N(0, 1) value of a word: sqrt(2) erf^-1(u) with u = (4 (word >> 9) + 1 - 2^24) 2^-24, which lies in (-1, 1). */
export function jaxNormal(word: number): number {
  return fround(ROOT_TWO * erfInv((4 * (word >>> 9) + 1 - 0x1000000) * 2 ** -24))
}

/** The float32 constants of truncated_normal(lower, upper): erf^-1 of a uniform, clamped to the open interval. */
export interface JaxTruncatedConstants extends AffineConstants {
  /** The smallest uniform number. */
  readonly lowest: number
  /** The float32 numbers next to the bounds, inside the interval. */
  readonly smallest: number
  readonly largest: number
}

/** XLA flushes subnormal numbers to 0, and so may a GPU. */
const flushed = (x: number): number => (Math.abs(x) < 2 ** -126 ? 0 : x)

/** @param lower @param upper bounds in standard deviations, possibly infinite */
export function jaxTruncatedConstants(lower: number, upper: number): JaxTruncatedConstants {
  const edge = (x: number): number => fround(erf(fround(fround(x) / ROOT_TWO)))
  const low = edge(lower)
  return {
    ...affineConstants({ low, high: edge(upper) }, 23),
    lowest: low,
    smallest: flushed(-nextBelow(-fround(lower))),
    largest: flushed(nextBelow(fround(upper))),
  }
}

/** The value of `jax.random.truncated_normal` for a word. If rounding makes the uniform -1, it is the smallest value. */
export function jaxTruncatedNormal(word: number, distribution: JaxTruncatedConstants): number {
  const unit = ((word >>> 9) - distribution.zeroPoint) * distribution.step
  const u = Math.max(distribution.lowest, fusedMultiplyAdd(unit, distribution.scale, distribution.offset))
  if (u <= -1) return distribution.smallest
  return Math.min(Math.max(fround(ROOT_TWO * erfInv(u)), distribution.smallest), distribution.largest)
}

/** The bounds of a truncated distribution in standard deviations from the mean, as JAX takes them. */
export function jaxBounds({ mean, std, low, high }: DistributionOf<'truncated-normal'>): {
  lower: number
  upper: number
} {
  return { lower: fround((low - mean) / std), upper: fround((high - mean) / std) }
}

/** The distributions that jax.random and jax.nn.initializers offer. */
export type JaxDistribution = Exclude<RandomDistribution, { kind: 'sparse' }>

/** Elements [first, first + count) of a JAX array as float32, in a new array. */
export function sampleJax(
  { distribution, generatorSource }: { readonly distribution: JaxDistribution; readonly generatorSource: JaxSource },
  first: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(count)
  jaxBits(generatorSource, first, words)
  const out = new Float32Array(words.buffer)
  if (distribution.kind === 'uniform') {
    const { scale, offset, zeroPoint: zero, step } = affineConstants(distribution, 23)
    const lowest = offset === 0 ? -scale : offset
    for (let i = 0; i < count; i++) {
      out[i] = Math.max(lowest, fusedMultiplyAdd(((words[i]! >>> 9) - zero) * step, scale, offset))
    }
    return out
  }
  const { mean, std } = normalConstants(distribution)
  if (distribution.kind === 'normal') {
    for (let i = 0; i < count; i++) out[i] = fusedMultiplyAdd(jaxNormal(words[i]!), std, mean)
    return out
  }
  const { lower, upper } = jaxBounds(distribution)
  const truncated = jaxTruncatedConstants(lower, upper)
  for (let i = 0; i < count; i++) out[i] = fusedMultiplyAdd(jaxTruncatedNormal(words[i]!, truncated), std, mean)
  return out
}

/** `jax.random.fold_in(key, data)` with data modulo 2^32; the same in both layouts. */
export function jaxFoldIn(key: JaxKey, data: number): JaxKey {
  const pair = new Uint32Array(2)
  threefry2x32(pair, key[0], key[1], 0, data >>> 0)
  return [pair[0]!, pair[1]!]
}

/** CRC-32 (IEEE 802.3) of the UTF-8 bytes of a name: Python's `zlib.crc32(name.encode())`. */
export function crc32(text: string): number {
  let crc = 0xffffffff
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (-(crc & 1) & 0xedb88320)
  }
  return ~crc >>> 0
}
