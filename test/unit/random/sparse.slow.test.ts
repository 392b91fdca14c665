// Guards that the places of sparse zeros are uniform: over all patterns where the rows are few, over every row where not.
import { describe, expect, test } from 'vitest'
import { parameterStream } from '../../../src/random/keys.js'
import { permutedRow, sparseHalfBits } from '../../../src/random/sparse.js'
import { chiSquaredSf } from '../../../src/statistics/expected/special.js'

/** Fixed names and seeds; a sound permutation fails one of the 78 tests below with a probability of at most 1e-4. */
const FALSE_ALARM = 1e-4 / 78

const { key } = parameterStream('fc.weight', 42)
const key0 = Number(key & 0xffff_ffffn)
const key1 = Number(key >> 32n)

const binomial = (n: number, k: number): number => (k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k)

function pValue(counts: Iterable<number>, cells: number, draws: number): number {
  const expected = draws / cells
  let chiSquared = 0
  let seen = 0
  for (const count of counts) {
    chiSquared += (count - expected) ** 2 / expected
    seen++
  }
  return chiSquaredSf(chiSquared + (cells - seen) * expected, cells - 1)
}

describe('all patterns of zeros', () => {
  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])('of %d rows, half of them zero', (rows) => {
    const zeros = Math.floor(rows / 2)
    const cells = binomial(rows, zeros)
    // Of 5 and 8 rows enough to see what eight Feistel rounds did wrong there.
    const columns = rows === 5 || rows === 8 ? 300_000 : Math.max(8_000, 10 * cells)
    const halfBits = sparseHalfBits(rows)
    const counts = new Map<number, number>()
    for (let column = 0; column < columns; column++) {
      let pattern = 0
      for (let row = 0; row < rows; row++) {
        if (permutedRow(row, column, rows, halfBits, key0, key1) < zeros) pattern |= 1 << row
      }
      counts.set(pattern, (counts.get(pattern) ?? 0) + 1)
    }
    expect(pValue(counts.values(), cells, columns)).toBeGreaterThan(FALSE_ALARM)
  })
})

describe('one zero', () => {
  test.each(Array.from({ length: 63 }, (_, i) => i + 2))('of %d rows: every row is equally likely', (rows) => {
    const columns = 1500 + 50 * rows
    const halfBits = sparseHalfBits(rows)
    const counts = Array.from({ length: rows }, () => 0)
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        if (permutedRow(row, column, rows, halfBits, key1, key0) === 0) counts[row]!++
      }
    }
    expect(counts.reduce((a, b) => a + b, 0)).toBe(columns)
    expect(pValue(counts, rows, columns)).toBeGreaterThan(FALSE_ALARM)
  })
})
