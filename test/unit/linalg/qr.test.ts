// The CPU's QR: orthonormal, the Q of that matrix, a positive diagonal, and what happens to singular matrices.
import { describe, expect, test } from 'vitest'
import { packTask, taskFields } from '../../../src/gpu/orthogonal/task.js'
import { orthonormalityError, orthonormalize } from '../../../src/linalg/qr.js'
import { expectedQ, householderQ, largestDifference, testNormals } from '../../support/matrices.js'
import { shaderFiles, structLayout } from '../../support/wgsl.js'

function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from(values, (_, at) => values[(at % rows) * cols + Math.floor(at / rows)]!)
}

describe('orthonormalize', () => {
  const shapes = [
    [1, 1],
    [1, 7],
    [7, 1],
    [2, 2],
    [3, 3],
    [5, 3],
    [9, 9],
    [33, 17],
    [64, 64],
    [100, 57],
  ] as const

  test.each(shapes)('%i x %i is the Q of a Householder QR', (rows, cols) => {
    const a = testNormals(rows * cols, rows * 1000 + cols)
    const q = expectedQ(a, rows, cols)
    expect(orthonormalityError(q, rows, cols)).toBeLessThan(2e-7)
    const tall = rows >= cols
    const reference = householderQ(tall ? a : transposed(a, rows, cols), Math.max(rows, cols), Math.min(rows, cols))
    const own = tall ? q : transposed(q, rows, cols)
    expect(largestDifference(own, reference.q)).toBeLessThan(1e-7)
  })

  test('transposing the matrix transposes the Q', () => {
    const a = testNormals(20 * 31, 4)
    const wide = expectedQ(a, 20, 31)
    expect(largestDifference(expectedQ(transposed(a, 20, 31), 31, 20), transposed(wide, 20, 31))).toBe(0)
  })

  test('a batch is its matrices one by one; a gain is a factor', () => {
    const a = testNormals(3 * 12 * 8, 9)
    const q = expectedQ(a, 12, 8, 3)
    for (let i = 0; i < 3; i++) {
      const part = [i * 96, (i + 1) * 96] as const
      expect(largestDifference(q.subarray(...part), expectedQ(a.slice(...part), 12, 8))).toBe(0)
    }
    const scaled = expectedQ(a, 12, 8, 3, Math.SQRT2)
    expect(
      largestDifference(
        scaled,
        q.map((x) => x * Math.fround(Math.SQRT2)),
      ),
    ).toBe(0)
    expect(orthonormalityError(scaled, 12, 8, 3, Math.SQRT2)).toBeLessThan(3e-7)
  })

  test('a known 2 x 2, signs included', () => {
    const q = expectedQ(Float32Array.of(-3, 1, 4, 2), 2, 2)
    expect([...q].map((x) => x.toFixed(6))).toEqual(['-0.600000', '0.800000', '0.800000', '0.600000'])
  })

  test('singular matrices give orthonormal columns', () => {
    const repeated = testNormals(16 * 16, 2)
    for (let i = 0; i < 16; i++) repeated[i * 16 + 5] = repeated[i * 16 + 11] = repeated[i * 16 + 2]!
    const cases = [new Float32Array(256), new Float32Array(256).fill(1), repeated]
    for (const a of cases) {
      const q = expectedQ(a, 16, 16)
      expect(orthonormalityError(q, 16, 16)).toBeLessThan(3e-7)
    }
  })

  test('the determinant has either sign: Haar on O(n), not SO(n)', () => {
    let positive = 0
    for (let seed = 1; seed <= 200; seed++) {
      const q = expectedQ(testNormals(4, seed), 2, 2)
      if (q[0]! * q[3]! - q[1]! * q[2]! > 0) positive++
    }
    // Binomial(200, 1/2): outside [65, 135] with probability 7e-7.
    expect(positive).toBeGreaterThan(64)
    expect(positive).toBeLessThan(136)
  })

  test('what is not finite shows as NaN; empty is nothing; a bad size is an error', () => {
    const a = testNormals(9, 1)
    a[4] = Number.POSITIVE_INFINITY
    expect(orthonormalityError(expectedQ(a, 3, 3), 3, 3)).toBeNaN()
    orthonormalize(new Float32Array(0), 0, 5)
    expect(orthonormalityError(new Float32Array(0), 0, 5)).toBe(0)
    expect(() => orthonormalize(new Float32Array(4), 2.5, 2)).toThrow(/rows must be a non-negative integer.*2.5/)
  })

  test('the orthogonalityError sees a wrong length and a wrong angle', () => {
    expect(orthonormalityError(Float32Array.of(1, 0, 0, 1.5), 2, 2)).toBe(1.25)
    expect(orthonormalityError(Float32Array.of(1, 0.5, 0, 1), 2, 2)).toBe(0.5)
  })
})

test('Task in shaders/orthogonal/task.wgsl is laid out as src/gpu/orthogonal/task.ts packs it', () => {
  const layout = structLayout(shaderFiles()['orthogonal/task']!, 'Task')
  const { byteLength, ...offsets } = layout
  expect(offsets).toEqual(Object.fromEntries(taskFields.map((name, index) => [name, 4 * index])))
  expect(packTask({}).byteLength).toBe(byteLength)
})
