import { show, WeightInitError } from '../core/errors.js'
import { philox4x32 } from './philox.js'

const MASK_64 = 0xffff_ffff_ffff_ffffn
export const low32 = (value: bigint): number => Number(value & 0xffff_ffffn)
export const high32 = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn)

/**
 * The 64-bit key of a seed: the integer modulo 2^64. Seed 0 is an ordinary seed; -1 gives 2^64 - 1. Exact.
 * @throws WeightInitError `INVALID_ARGUMENT` unless the seed is a bigint or an integral number
 */
export function seedKey(seed: number | bigint): bigint {
  if (typeof seed === 'bigint') return seed & MASK_64
  if (typeof seed !== 'number' || !Number.isInteger(seed)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `seed must be an integer (number or bigint), but found ${show(seed)}.`,
    )
  }
  return BigInt(seed) & MASK_64
}

/** FNV-1a, 64 bits, over the UTF-8 bytes of `text` (Fowler, Noll, Vo; draft-eastlake-fnv). Exact. */
export function fnv1a64(text: string): bigint {
  // The 64-bit hash is computed in two 32-bit halves. The prime is 2^40 + 0x1b3.
  let low = 0x8422_2325
  let high = 0xcbf2_9ce4
  // A model may have thousands of names, and nearly all of them are ASCII, which needs no encoder.
  const bytes = /[^\0-\x7f]/.test(text) ? new TextEncoder().encode(text) : undefined
  const byteLength = bytes?.length ?? text.length
  for (let at = 0; at < byteLength; at++) {
    const mixed = (low ^ (bytes?.[at] ?? text.charCodeAt(at))) >>> 0
    const product = mixed * 0x1b3
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (mixed << 8)) >>> 0
    low = product >>> 0
  }
  return (BigInt(high) << 32n) | BigInt(low)
}

/**
 * The stream of a parameter, made from its name and the seed. One Philox4x32-10 block, whose counter is the FNV-1a hash of
 * the name and whose key is the seed, is read as two 64-bit integers (low word first): the stream's key and its first
 * counter. This is `fold_in(key(seed), id)` of PyTorch's stateless generator. Exact.
 *
 * @throws WeightInitError `INVALID_ARGUMENT` unless the seed is a bigint or an integral number
 */
export function parameterStream(name: string, seed: number | bigint): Stream {
  const id = fnv1a64(name)
  const key = seedKey(seed)
  const words = new Uint32Array(4)
  philox4x32(words, low32(id), high32(id), 0, 0, low32(key), high32(key))
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words
  return { key: BigInt(w0) | (BigInt(w1) << 32n), counter: BigInt(w2) | (BigInt(w3) << 32n) }
}

/** The seed for callers who do not choose one: 53 random bits, so that JSON can hold it as a number without rounding. */
export function randomSeed(): number {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(2))
  return (words[0] ?? 0) + ((words[1] ?? 0) & 0x1fffff) * 2 ** 32
}

/** Where a parameter's random words come from: a Philox key and the counter of its first block, both in [0, 2^64). */
export interface Stream {
  readonly key: bigint
  readonly counter: bigint
}
