// verify() of orthogonal weights: they are compared with the CPU's within a bound that is said, and nothing else passes for them.
import { describe, expect, test } from 'vitest'
import { byteWidth, floatDTypes, roundToDType } from '../../../src/core/dtype.js'
import { type InitializedModel, initializeModel, type Model } from '../../../src/index.js'
import { parityCell, paritySentence } from '../../../src/report/parity.js'
import { ordinal } from '../../../src/statistics/expected/representable.js'
import { encodeValues } from '../../support/encode.js'

const model: Model = { parameters: [{ name: 'w', shape: [24, 16], role: 'weight' }] }
const make = (
  seed: number,
  given: Model = model,
  initializer = 'orthogonal',
  dtype: 'float32' | 'float16' = 'float32',
) => initializeModel(given, initializer as never, { gain: 1.5 } as never, { device: 'cpu', seed, dtype })
const valuesOf = (weights: InitializedModel, name = 'w'): Float32Array =>
  new Float32Array(weights.get(name).buffer as unknown as ArrayBuffer)

test('what was just made: every element within the bound, none bit by bit', async () => {
  const report = await (await make(1)).verify()
  expect(report).toMatchObject({ ok: true, complete: true, elementCount: 384, comparedCount: 0, mismatchCount: 0 })
  expect(report.withinBound).toMatchObject({ count: 384, largestDifference: 0, beyondCount: 0, secondRunCount: 0 })
  expect(report.withinBound!.bound).toBeGreaterThanOrEqual(3e-5)
  expect(report.withinBound!.bound).toBeLessThan(1e-3)
  expect(report.parameters[0]!.orthogonalityError).toBeLessThan(2e-6)
})

describe('what is orthogonal but not these weights fails', () => {
  const frauds: [string, (values: Float32Array) => Promise<void> | void][] = [
    ["another seed's matrix", async (values) => values.set(valuesOf(await make(2)))],
    ['the identity', (values) => values.set(values.map((_, i) => (i % 17 === 0 && i < 272 ? 1.5 : 0)))],
    [
      'two rows swapped',
      (values) => {
        const first = values.slice(0, 16)
        values.copyWithin(0, 16, 32)
        values.set(first, 16)
      },
    ],
    ['one column negated', (values) => values.set(values.map((x, i) => (i % 16 === 3 ? -x : x)))],
  ]
  test.each(frauds)('%s', async (_, change) => {
    const weights = await make(1)
    await change(valuesOf(weights))
    const report = await weights.verify()
    // It is orthogonal, and no bit was compared: the bound alone tells.
    expect(report.parameters[0]!.orthogonalityError).toBeLessThan(2e-6)
    expect(report).toMatchObject({ ok: false, mismatchCount: 0 })
    expect(report.withinBound!.beyondCount).toBeGreaterThan(15)
    expect(paritySentence(report, 'the CPU')).toContain(`${report.withinBound!.beyondCount} of 384 elements`)
    expect(parityCell(report.parameters[0])).toMatch(/^\d+ beyond \d\.\de-5, from \[\d+\], by up to/)
  })
})

test.each(floatDTypes)('%s: any single element that is changed beyond the bound is found, and a NaN', async (dtype) => {
  // Eight bits round elements of this matrix by up to 0.06.
  const step = byteWidth(dtype) === 1 ? 1 : 0.02
  for (const element of [0, 17, 383]) {
    for (const change of [(x: number) => x + step, () => Number.NaN]) {
      const weights = await initializeModel(model, 'orthogonal', {}, { device: 'cpu', seed: 1, dtype })
      expect((await weights.verify()).ok).toBe(true)
      const bytes = new Uint8Array(weights.get('w').buffer as unknown as ArrayBuffer)
      const values = await weights.read('w')
      values[element] = change(values[element]!)
      bytes.set(encodeValues(values, dtype))
      const report = await weights.verify()
      expect(report.ok).toBe(false)
      expect(report.parameters[0]!.withinBound).toMatchObject({ beyondCount: 1, firstBeyond: element })
    }
  }
})

test("a narrower dtype's rounding is in the bound, and no more: one step passes, four do not", async () => {
  const weights = await make(1, model, 'orthogonal', 'float16')
  const halves = new Uint16Array(weights.get('w').buffer as unknown as ArrayBuffer)
  const values = await weights.read('w')
  const largest = values.reduce((best, x, i) => (Math.abs(x) > Math.abs(values[best]!) ? i : best), 0)
  expect(ordinal(roundToDType(Math.abs(values[largest]!), 'float16'), 'float16')).toBe(halves[largest]! & 0x7fff)
  halves[largest]!++
  expect((await weights.verify()).ok).toBe(true)
  halves[largest]! += 3
  expect((await weights.verify()).withinBound).toMatchObject({ beyondCount: 1 })
})

test('zeros off the centre of a kernel are compared bit by bit', async () => {
  const convolution: Model = { parameters: [{ name: 'w', shape: [6, 5, 3, 3], role: 'weight' }] }
  const delta = await make(1, convolution, 'delta_orthogonal')
  expect(await delta.verify()).toMatchObject({ ok: true, comparedCount: 240, withinBound: { count: 30 } })
  valuesOf(delta)[3] = 1e-30
  expect(await delta.verify()).toMatchObject({ ok: false, mismatchCount: 1, withinBound: { beyondCount: 0 } })
})

test('a model of both kinds: counted apart, in every text', async () => {
  const both: Model = {
    parameters: [
      { name: 'a', shape: [40, 30], role: 'weight' },
      { name: 'w', shape: [24, 16], role: 'weight' },
    ],
  }
  const rules = [
    { match: 'w', initializer: 'orthogonal' },
    { match: '*', initializer: 'xavier' },
  ]
  const weights = await initializeModel(both, rules as never, {}, { device: 'cpu', seed: 1 })
  const report = await weights.verify()
  expect(report).toMatchObject({ ok: true, complete: true, comparedCount: 1200, withinBound: { count: 384 } })
  const text = paritySentence(report, 'the CPU')
  expect(text).toMatch(
    /^0 of 384 elements of orthogonal matrices are further off than \d\.\de-5 \(largest difference 0\); /,
  )
  expect(text).toMatch(/; 0 of all 1,200 other elements differ from the CPU in any bit$/)
  expect(report.parameters.map(parityCell)).toEqual(['equal', expect.stringMatching(/^within \d\.\de-5 \(0\)$/)])

  const sampled = await weights.verify({ elements: 400 })
  expect(sampled.complete).toBe(false)
  const { comparedCount } = sampled
  expect(paritySentence(sampled, 'the CPU')).toContain(
    `0 of ${comparedCount} compared, of 1,200 other elements, differ`,
  )
  expect(paritySentence(sampled, 'the CPU')).not.toContain('all')
  expect(parityCell(sampled.parameters[0])).toBe(`equal (${comparedCount} of 1,200)`)
})
