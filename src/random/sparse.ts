// CPU reference of shaders/distributions/sparse.wgsl, and the constants that the host computes for that shader.

import { high32, low32 } from './keys.js'
import { philox4x32 } from './philox.js'

const SPARSE_TAG = 0x73707273
/**
 * With only eight rounds the zeros would be spread unevenly in matrices of few rows, where half a Feistel block has only
 * one or two bits.
 */
const SPARSE_ROUNDS = 16

const words = new Uint32Array(4)

/** The number of bits in half a Feistel block: the smallest h >= 1 with 4^h >= rows. */
export function sparseHalfBits(rows: number): number {
  let h = 1
  while (4 ** h < rows) h++
  return h
}

/**
 * Where `row` goes in a permutation of 0, ..., rows - 1 that depends on the column and the key. A Feistel network (Luby and
 * Rackoff 1988) of sixteen Philox rounds is applied until the result is in range (cycle walking, Black and Rogaway 2002).
 * Exact.
 */
export function permutedRow(
  row: number,
  column: number,
  rows: number,
  halfBits: number,
  key0: number,
  key1: number,
): number {
  const mask = 2 ** halfBits - 1
  let x = row
  do {
    let left = x >>> halfBits
    let right = x & mask
    for (let round = 0; round < SPARSE_ROUNDS; round++) {
      philox4x32(words, right, column, round, SPARSE_TAG, key0, key1)
      const next = (left ^ (words[0]! & mask)) >>> 0
      left = right
      right = next
    }
    x = ((left << halfBits) | right) >>> 0
  } while (x >= rows)
  return x
}

/** The distribution as the shader's twelve 32-bit constants. `key` is the key of the parameter's stream. */
export function packSparse(distribution: {
  std: number
  rows: number
  columns: number
  zeros: number
  key: bigint
}): Uint32Array {
  const bits = new Uint32Array(12)
  new Float32Array(bits.buffer)[0] = distribution.std
  bits.set(
    [
      distribution.rows,
      distribution.columns,
      distribution.zeros,
      low32(distribution.key),
      high32(distribution.key),
      sparseHalfBits(distribution.rows),
    ],
    1,
  )
  return bits
}
