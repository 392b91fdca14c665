// jax.random's parts and refusals. Its values: golden.slow.test.ts.
import { expect, test } from 'vitest'
import { erf } from '../../../../src/generators/erf.js'
import { crc32 } from '../../../../src/generators/jax/jax.js'
import { jax } from '../../../../src/generators/jax/jax-api.js'
import type { JaxKey } from '../../../../src/ir/generator.js'

test('erf and crc32', () => {
  // Abramowitz and Stegun, table 7.1, and Python's math.erf.
  for (const [x, y] of [
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [3.5, 0.9999992569016276],
    [5, 0.9999999999984626],
  ] as const) {
    expect(erf(x)).toBeCloseTo(y, 15)
    expect(erf(-x)).toBeCloseTo(-y, 15)
  }
  expect(crc32('123456789')).toBe(0xcbf43926)
  expect(crc32('größe')).toBe(0x5bd3a989)
})

test.each([
  ['a key that is no key', () => jax.bits([1] as unknown as JaxKey, 3), /jax: key must be a key \[high, low\]/],
  ['a shape', () => jax.bits([0, 1], -1), /shape must be a number of elements/],
  ['a layout', () => jax.bits([0, 1], 1, { generator: 'x' as 'jax' }), /generator must be 'jax' or 'jax-legacy'/],
  ['a reversed range', () => jax.uniform([0, 1], 1, 2, 1), /uniform needs low <= high/],
  ['an empty range', () => jax.truncatedNormal([0, 1], 2, 2), /truncatedNormal needs lower < upper/],
  ['rank 1', () => jax.initializers.glorotUniform([0, 1], [3]), /Must be at least 2D/],
  ['a fraction', () => jax.foldIn([0, 1], 0.5), /fold_in data must be an integer/],
])('refuses %s', (_, call, message) => {
  expect(call).toThrow(message)
})
