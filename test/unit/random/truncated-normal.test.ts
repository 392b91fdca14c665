// Guards what the truncated normal promises near the mean: full relative precision, no grid, no exact zero, an even order.
import { describe, expect, test } from 'vitest'
import {
  distanceToHalf,
  fixed64ToFloat,
  packTruncatedNormal,
  truncatedNormalConstants,
  truncatedNormalValue,
} from '../../../src/random/truncated-normal.js'
import { seededWords } from '../../support/seeded.js'

/** 2^63 - floor(p / 2^shift) over 2^63, rounded to nearest even by BigInt arithmetic. */
function exactDistance(p: bigint, shift: number): number {
  const distance = 2n ** 63n - (p >> BigInt(shift))
  const length = distance.toString(2).length
  const cut = BigInt(Math.max(0, length - 24))
  let mantissa = distance >> cut
  const rest = distance - (mantissa << cut)
  const half = cut === 0n ? 0n : 1n << (cut - 1n)
  if (cut > 0n && (rest > half || (rest === half && mantissa % 2n === 1n))) mantissa++
  return Number(mantissa) * 2 ** (Number(cut) - 63)
}

const halves = (p: bigint): [number, number] => [Number(p >> 32n), Number(p & 0xffff_ffffn)]

describe('distanceToHalf', () => {
  const top = 2n ** 63n
  const edges = [0n, 1n, 2n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 52n, 2n ** 62n, top - 1n, top - 2n, top - 3n]
  for (const k of [11n, 24n, 25n, 32n, 33n, 53n, 54n, 62n]) {
    for (const near of [-1n, 0n, 1n]) edges.push(top - 2n ** k + near, top - 2n ** k - 2n ** (k - 1n) + near)
    // Ties and their neighbours: 24 bits, then a half.
    edges.push(top - ((2n ** 24n + 1n) << (k > 38n ? 38n : k)), top - (2n ** 24n + 1n))
  }

  test('is rounded once, at edges and at 100,000 others', () => {
    const next = seededWords(91)
    const all = [...edges]
    for (let i = 0; i < 100_000; i++) {
      const any = (BigInt(next()) << 31n) | BigInt(next() >>> 1)
      // A third lie close to 1/2, at every distance.
      all.push(i % 3 === 0 ? top - 1n - (any >> BigInt(next() % 63)) : any)
    }
    for (const p of all) {
      expect([p, distanceToHalf(...halves(p), 0)]).toEqual([p, exactDistance(p, 0)])
    }
  })

  test.each([1, 2, 31, 32, 33, 40, 56])('of a probability in units of 2^-64 2^-%d', (shift) => {
    const next = seededWords(92)
    for (let i = 0; i < 2000; i++) {
      const p = (BigInt(next()) << 32n) | BigInt(next())
      expect([p, distanceToHalf(...halves(p), shift)]).toEqual([p, exactDistance(p, shift)])
    }
  })
})

const intervals: readonly (readonly [low: number, high: number])[] = [
  [-2, 2],
  [-1, 4],
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
]

/** Values of the words around the one whose value is nearest to the mean. */
function nearMean(low: number, high: number, reach: number): number[] {
  const bits = packTruncatedNormal(truncatedNormalConstants({ mean: 0, std: 1, low, high }, 'test'))
  const floats = new Float32Array(bits.buffer)
  const value = (word: number): number => truncatedNormalValue(word >>> 0, bits, floats)
  const rising = value(0) < value(2 ** 32 - 1)
  let from = 0
  let to = 2 ** 32
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (value(middle) < 0 === rising) from = middle
    else to = middle
  }
  return Array.from({ length: 2 * reach }, (_, i) => value(from - reach + i) * (rising ? 1 : -1))
}

describe.each(intervals)('[%d, %d] near the mean', (low, high) => {
  const values = nearMean(low, high, 20_000)

  test('every word has a value of its own, and none is 0', () => {
    expect(new Set(values).size).toBe(values.length)
    expect(values.includes(0)).toBe(false)
  })

  test('values are evenly spaced: to 3 units in the last place, they are sqrt(pi / 2) times the distance of p to 1/2', () => {
    const step = (values.at(-1)! - values[0]!) / (values.length - 1)
    for (let i = 1; i < values.length; i++) {
      const gap = values[i]! - values[i - 1]!
      const larger = Math.max(Math.abs(values[i]!), Math.abs(values[i - 1]!))
      const ulp = 2 ** (Math.floor(Math.log2(larger)) - 23)
      // The step of p is an integer only on average: its own rounding is 2^-32 of it.
      expect(Math.abs(gap - step)).toBeLessThan(3 * ulp + step * 1e-6)
    }
  })
})

test.each([...intervals, [3, 9], [0.5, 0.9]] as const)(
  '[%d, %d]: a larger word is at most two units in the last place out of order',
  (low, high) => {
    const bits = packTruncatedNormal(truncatedNormalConstants({ mean: 0, std: 1, low, high }, 'test'))
    const floats = new Float32Array(bits.buffer)
    const sign = Math.sign(floats[6]!)
    let last = 0
    for (let window = 0; window < 256; window++) {
      for (let i = 0; i < 1024; i++) {
        const value = sign * truncatedNormalValue(window * 2 ** 24 + i, bits, floats)
        if (i > 0 && value < last) {
          const ulp = 2 ** (Math.floor(Math.log2(Math.abs(last))) - 23)
          expect([window, i, (last - value) / ulp]).toEqual([window, i, expect.toSatisfy((x: number) => x <= 2)])
        }
        last = value
      }
    }
  },
)

test('fixed64ToFloat is within two roundings of the integer', () => {
  const next = seededWords(93)
  for (let i = 0; i < 1000; i++) {
    const [high, low] = [next(), next()]
    const exact = high * 2 ** -32 + low * 2 ** -64
    expect(Math.abs(fixed64ToFloat(high, low) / exact - 1)).toBeLessThan(2 ** -23)
  }
})
