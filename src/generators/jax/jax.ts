// jax.random over Threefry2x32-20 (jax/_src/prng.py, random.py): bits, uniforms, normals. 'jax' is
// jax_threefry_partitionable=True, the default since 0.5.0; 'jax-legacy' the layout before.
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
 * `jax.random.bits(key, count, uint32)[first : first + out.length]` into `out`. Exact.
 * - partitionable: word i = x0 ^ x1 of counter (hi i, lo i)
 * - legacy: with h = ceil(count / 2), words i and i + h are x0 and x1 of counter (i, i + h), or (i, 0) past the end
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

/** The unit normal of a word: sqrt(2) erf^-1(u), u = (4 (word >> 9) + 1 - 2^24) 2^-24, which is in (-1, 1). */
export function jaxNormal(word: number): number {
  return fround(ROOT_TWO * erfInv((4 * (word >>> 9) + 1 - 0x1000000) * 2 ** -24))
}

/** Float32 constants of truncated_normal(lower, upper): erf^-1 of a uniform, cut to the open interval. */
export interface JaxTruncatedConstants extends AffineConstants {
  /** The smallest uniform. */
  readonly lowest: number
  /** The neighbours of the bounds inside the interval. */
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

/** `jax.random.truncated_normal` of a word, unit scale. Where rounding made the uniform -1, the smallest value. */
export function jaxTruncatedNormal(word: number, distribution: JaxTruncatedConstants): number {
  const unit = ((word >>> 9) - distribution.zeroPoint) * distribution.step
  const u = Math.max(distribution.lowest, fusedMultiplyAdd(unit, distribution.scale, distribution.offset))
  if (u <= -1) return distribution.smallest
  return Math.min(Math.max(fround(ROOT_TWO * erfInv(u)), distribution.smallest), distribution.largest)
}

/** The bounds of a truncated distribution in its own standard deviations, as JAX takes them. */
export function jaxBounds({ mean, std, low, high }: DistributionOf<'truncated-normal'>): {
  lower: number
  upper: number
} {
  return { lower: fround((low - mean) / std), upper: fround((high - mean) / std) }
}

/** The distributions that jax.random and jax.nn.initializers have. */
export type JaxDistribution = Exclude<RandomDistribution, { kind: 'sparse' }>

/** Elements [first, first + count) of an array, float32, in a new array. */
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

/** `jax.random.fold_in(key, data)`: data mod 2^32; the same in both layouts. */
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
