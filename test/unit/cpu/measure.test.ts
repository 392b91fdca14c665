// Statistics on the CPU against float64 over the same values, and how partial sums merge.
import { describe, expect, test } from 'vitest'
import { initializeModel, linear } from '../../../src/index.js'
import { mergeMoments, momentsOf, noMoments } from '../../../src/statistics/moments.js'
import { seededWords } from '../../support/seeded.js'

/** Two passes in float64, divided by the count. */
function direct(values: ArrayLike<number>): { mean: number; std: number; min: number; max: number } {
  const all = Array.from(values)
  const mean = all.reduce((a, b) => a + b, 0) / all.length
  const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length
  return {
    mean,
    std: Math.sqrt(variance),
    min: all.reduce((a, b) => Math.min(a, b)),
    max: all.reduce((a, b) => Math.max(a, b)),
  }
}

describe('statistics', () => {
  test.each([
    ['normal', { mean: 0, std: 0.02 }, 300 * 1000],
    ['normal', { mean: 1000, std: 0.5 }, 4097],
    ['uniform', { a: -0.3, b: 7.7 }, 300 * 1000],
    ['xavier', {}, 123],
    ['uniform', { a: 5, b: 6 }, 1],
  ])('%s %j over %d elements equal float64 over the values', async (name, config, count) => {
    const model = { parameters: [{ name: 'w', shape: [1, count] }] }
    const weights = await initializeModel(model, name as never, config as never, { device: 'cpu', seed: 4 })
    const got = (await weights.statistics()).get('w')!
    const expected = direct(await weights.read('w'))
    expect(Math.abs(got.mean - expected.mean)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected.mean)))
    expect(Math.abs(got.std - expected.std)).toBeLessThanOrEqual(1e-10 * Math.max(1e-3, expected.std))
    expect(got).toMatchObject({ name: 'w', count, min: expected.min, max: expected.max, nonFiniteCount: 0 })
    expect(got.expected).toEqual(weights.get('w').expected)
  })

  test('are what the distribution promises, within five standard errors', async () => {
    const weights = await initializeModel(linear(1000, 500), 'kaiming', {}, { device: 'cpu', seed: 4 })
    const { mean, std, count, expected } = (await weights.statistics()).get('weight')!
    expect(count).toBe(500_000)
    expect(Math.abs(mean)).toBeLessThan((5 * expected.std) / Math.sqrt(count))
    expect(Math.abs(std / expected.std - 1)).toBeLessThan(5 / Math.sqrt(2 * count))
  })

  test('are by name, in the model’s order', async () => {
    const weights = await initializeModel(linear(3, 2), 'normal', {}, { device: 'cpu', seed: 4 })
    const statistics = await weights.statistics()
    expect([...statistics.keys()]).toEqual(['weight', 'bias'])
    expect(statistics.get('bias')).toEqual({
      name: 'bias',
      count: 2,
      mean: 0,
      std: 0,
      min: 0,
      max: 0,
      skewness: Number.NaN,
      kurtosis: Number.NaN,
      nonFiniteCount: 0,
      zeroCount: 2,
      lagCorrelation: Number.NaN,
      rowCorrelation: Number.NaN,
      expected: { mean: 0, std: 0, min: 0, max: 0 },
    })
  })

  test('are of what the memory holds now: NaN, infinity and zeros are counted', async () => {
    const weights = await initializeModel(linear(4, 2, { bias: false }), 'ones', {}, { device: 'cpu', seed: 4 })
    new Float32Array(weights.get('weight').buffer as unknown as ArrayBuffer).set([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      0,
      -0,
      5,
    ])
    expect((await weights.statistics()).get('weight')).toMatchObject({
      count: 6,
      nonFiniteCount: 2,
      zeroCount: 2,
      mean: 8 / 6,
      min: 0,
      max: 5,
    })
  })

  test('of nothing but NaN are NaN', async () => {
    const weights = await initializeModel(linear(2, 1, { bias: false }), 'ones', {}, { device: 'cpu', seed: 4 })
    new Float32Array(weights.get('weight').buffer as unknown as ArrayBuffer).fill(Number.NaN)
    const got = (await weights.statistics()).get('weight')!
    expect(got.count).toBe(0)
    expect(got.nonFiniteCount).toBe(2)
    expect(got.mean).toBeNaN()
    expect(got.std).toBeNaN()
  })
})

describe('moments', () => {
  const next = seededWords(30)
  const values = Float32Array.from({ length: 1000 }, () => next() / 2 ** 31 - 0.25)

  test.each([1, 2, 3, 10, 333])('merged from parts of %d equal those of the whole', (size) => {
    let merged = noMoments
    for (let at = 0; at < values.length; at += size)
      merged = mergeMoments(merged, momentsOf(values.subarray(at, at + size), 0.5))
    const whole = momentsOf(values, 0)
    expect(merged.count).toBe(1000)
    expect(merged.mean).toBeCloseTo(whole.mean, 13)
    expect(merged.squares).toBeCloseTo(whole.squares, 9)
    expect(merged.cubes).toBeCloseTo(whole.cubes, 9)
    expect(merged.fourths).toBeCloseTo(whole.fourths, 9)
    expect([merged.min, merged.max, merged.zeroCount]).toEqual([whole.min, whole.max, whole.zeroCount])
  })

  test('nothing merges without a trace', () => {
    const some = momentsOf([1, 2, 3], 0)
    expect(mergeMoments(some, noMoments)).toEqual(some)
    expect(mergeMoments(noMoments, some)).toEqual(some)
    expect(mergeMoments(noMoments, noMoments)).toEqual(noMoments)
  })

  test('a small spread about a large mean does not cancel', () => {
    const { mean, squares, count } = momentsOf([1e6, 1e6 + 0.25, 1e6 + 0.5], 1e6)
    expect(mean).toBe(1e6 + 0.25)
    expect(squares / count).toBeCloseTo(0.125 / 3, 15)
  })
})
