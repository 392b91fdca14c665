// Uniform values against exact arithmetic: rounding, both ends of a range, and the next float below.
import { describe, expect, test } from 'vitest'
import { nextBelow, uniformConstants, uniformValue } from '../../../src/random/uniform.js'
import { add, exact, float32Below, multiply, negate, roundToFloat32 } from '../../support/references/exact-float.js'
import { seededWords } from '../../support/seeded.js'

/** Value contract 1, section 2, in exact arithmetic: k = word & 0xffffff, one rounding or two, and never >= high. */
function contractUniform(low: number, high: number, word: number): number {
  const k = word % 2 ** 24
  const lo = roundToFloat32(exact(low))
  const hi = roundToFloat32(exact(high))
  if (lo === -hi) return roundToFloat32(multiply(exact(hi), { n: BigInt(k) - 2n ** 23n, e: -23 }))
  const range = exact(roundToFloat32(add(exact(hi), negate(exact(lo)))))
  const product = exact(roundToFloat32(multiply({ n: BigInt(k), e: -24 }, range)))
  const sum = roundToFloat32(add(exact(lo), product))
  return sum >= hi ? float32Below(hi) : sum
}

const ranges: [low: number, high: number][] = [
  [-1, 1],
  [-0.07, 0.07],
  [-0.07595545253127499, 0.07595545253127499],
  [-3e38, 3e38],
  [-(2 ** -60), 2 ** -60],
  [0, 1],
  [0, 0.1],
  [0, 2 ** -60],
  [0.1, 0.3],
  [-0.3, 7.7],
  [-1, 0],
  [-3, 5],
  [-7.7, -0.3],
  [1, 1 + 2 ** -23],
  [1, 1 + 2 ** -22],
  [-1 - 2 ** -23, -1],
  [16777215, 16777216],
  [1e10, 1e10 + 4096],
  [0, 3e38],
  [-1e30, 1],
]

const words = [0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0xfffffe, 0xffffff, 0xff000000, 0xff800001, 0xffffffff]

describe.each(ranges)('U[%d, %d)', (low, high) => {
  const constants = uniformConstants(low, high)

  test('equals exact arithmetic on edge words and 3000 random ones', () => {
    const next = seededWords(3)
    const all = [...words, ...Array.from({ length: 3000 }, next)]
    const wrong = all.filter((word) => !Object.is(uniformValue(word, constants), contractUniform(low, high, word)))
    expect(wrong).toEqual([])
  })

  test('every value is a float32 in [low, high)', () => {
    const next = seededWords(4)
    const lo = Math.fround(low)
    const hi = Math.fround(high)
    for (const word of [...words, ...Array.from({ length: 3000 }, next)]) {
      const value = uniformValue(word, constants)
      if (!(value >= lo && value < hi && Math.fround(value) === value)) expect.fail(`word ${word} gives ${value}`)
    }
  })

  test('is ascending in the low 24 bits and ignores the others', () => {
    let before = Number.NEGATIVE_INFINITY
    for (let k = 0; k < 2 ** 24; k += 65521) {
      const value = uniformValue(k, constants)
      expect(value).toBeGreaterThanOrEqual(before)
      expect(uniformValue((k | 0xab000000) >>> 0, constants)).toBe(value)
      before = value
    }
  })
})

test('the unit range is k 2^-24 exactly, the symmetric one (k - 2^23) 2^-23', () => {
  const unit = uniformConstants(0, 1)
  const symmetric = uniformConstants(-1, 1)
  for (const k of [0, 1, 12345, 2 ** 23, 2 ** 24 - 1]) {
    expect(uniformValue(k, unit)).toBe(k / 2 ** 24)
    expect(uniformValue(k, symmetric)).toBe((k - 2 ** 23) / 2 ** 23)
  }
  expect(uniformValue(0, symmetric)).toBe(-1)
})

test('never reaches the upper end: ranges of a few steps at every magnitude, top words', () => {
  const next = seededWords(5)
  const top = [0xffffff, 0xfffffe, 0xfffff0, 0xffff00, 0xc00000, 0x800000]
  let clipped = 0
  for (let i = 0; i < 20_000; i++) {
    const sign = next() % 2 === 0 ? 1 : -1
    const low = Math.fround(sign * (1 + next() / 2 ** 32) * 2 ** ((next() % 100) - 50))
    // `steps` float32 values further up.
    let high = low
    const steps = 1 + (next() % 5)
    const ulp = Math.abs(low) * 2 ** -23
    for (let step = 0; step < steps; step++) high = Math.fround(high + ulp)
    if (high <= low || low === -high) continue
    const constants = uniformConstants(low, high)
    for (const word of top) {
      const value = uniformValue(word, constants)
      if (!(value >= low && value < high)) expect.fail(`U[${low}, ${high}) gives ${value} for ${word}`)
      if (value === constants.top && value !== low) clipped++
    }
  }
  expect(clipped).toBeGreaterThan(1000)
})

test('a range whose end lies between two float32 values uses the rounded ends', () => {
  const constants = uniformConstants(0.1, 0.2)
  expect(uniformValue(0, constants)).toBe(Math.fround(0.1))
  expect(uniformValue(0xffffff, constants)).toBeLessThan(Math.fround(0.2))
})

describe('nextBelow', () => {
  test.each([1, 2, 1.5, -1, -2, 1e-30, -1e30, 2 ** -126, 2 ** -149, -(2 ** -149), 3.4028234663852886e38])('%d', (x) => {
    const value = Math.fround(x)
    expect(nextBelow(value)).toBe(float32Below(value))
    expect(nextBelow(value)).toBeLessThan(value)
  })

  test('of 0 is the smallest negative float32', () => {
    expect(nextBelow(0)).toBe(-(2 ** -149))
    expect(nextBelow(-0)).toBe(-(2 ** -149))
  })
})
