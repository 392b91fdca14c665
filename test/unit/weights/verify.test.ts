// verify on the CPU: every changed bit is found, counted and measured; samples cover both ends.
import { describe, expect, test } from 'vitest'
import { initializeModel, linear, sequential, type VerifyOptions } from '../../../src/index.js'
import { expectRefusal } from '../../support/refusal.js'

const cpu = { device: 'cpu', seed: 12 } as const
const bytesOf = (weights: Awaited<ReturnType<typeof initializeModel>>, name: string): Uint8Array =>
  new Uint8Array(weights.get(name).buffer as unknown as ArrayBuffer)

test('what was just made is equal in every bit', async () => {
  const weights = await initializeModel(sequential(linear(30, 7), linear(7, 3)), 'kaiming', {}, cpu)
  expect(await weights.verify()).toEqual({
    ok: true,
    elementCount: 210 + 7 + 21 + 3,
    comparedCount: 210 + 7 + 21 + 3,
    mismatchCount: 0,
    complete: true,
    parameters: [
      ['0.weight', 210],
      ['0.bias', 7],
      ['1.weight', 21],
      ['1.bias', 3],
    ].map(([name, count]) => ({ name, elementCount: count, comparedCount: count, mismatchCount: 0, ok: true })),
  })
})

describe.each([
  ['float32', 4],
  ['float16', 2],
  ['bfloat16', 2],
] as const)('%s: one flipped bit is found', (dtype, width) => {
  test.each([0, 1, 2, 3, 50, 102, 103, 104])('in element %d of 105', async (element) => {
    const weights = await initializeModel(linear(15, 7), 'normal', {}, { ...cpu, dtype })
    bytesOf(weights, 'weight')[element * width]! ^= 1
    const report = await weights.verify()
    expect(report.ok).toBe(false)
    expect(report.mismatchCount).toBe(1)
    expect(report.parameters[0]).toEqual({
      name: 'weight',
      elementCount: 105,
      comparedCount: 105,
      mismatchCount: 1,
      firstMismatch: element,
      largestUlpDistance: 1,
      ok: false,
    })
    expect(report.parameters[1]?.mismatchCount).toBe(0)
  })
})

test('elements that differ in several bytes count once each', async () => {
  const weights = await initializeModel(linear(15, 7), 'normal', {}, cpu)
  bytesOf(weights, 'weight').fill(0xff, 40, 60)
  const report = await weights.verify()
  expect(report.parameters[0]).toMatchObject({ mismatchCount: 5, firstMismatch: 10 })
})

test('the largest distance is in units in the last place, across 0 too', async () => {
  const weights = await initializeModel(linear(3, 3), 'ones', {}, cpu)
  const values = new Float32Array(weights.get('weight').buffer as unknown as ArrayBuffer)
  values[2] = 1 + 3 * 2 ** -23
  values[5] = 1 + 2 ** -23
  const report = await weights.verify()
  expect(report.parameters[0]).toMatchObject({ mismatchCount: 2, firstMismatch: 2, largestUlpDistance: 3 })
  values[5] = -1
  // As many numbers as there are from 1 down to 0, twice, and -0.
  expect((await weights.verify()).parameters[0]).toMatchObject({ largestUlpDistance: 2 * 0x3f800000 + 1 })
})

test('-0 in place of 0 is a difference: bits, not numbers', async () => {
  const weights = await initializeModel(linear(3, 3), 'normal', {}, cpu)
  new Float32Array(weights.get('bias').buffer as unknown as ArrayBuffer)[1] = -0
  expect((await weights.verify()).parameters[1]).toMatchObject({ mismatchCount: 1, firstMismatch: 1 })
})

describe('a sample', () => {
  const make = () => initializeModel(linear(1000, 900, { bias: false }), 'normal', {}, cpu)

  test('is stated, and near what was asked for', async () => {
    const report = await (await make()).verify({ elements: 10_000 })
    expect(report.ok).toBe(true)
    expect(report.complete).toBe(false)
    expect(report.elementCount).toBe(900_000)
    expect(report.comparedCount).toBeGreaterThan(9_000)
    expect(report.comparedCount).toBeLessThan(10_100)
    expect(report.parameters[0]?.comparedCount).toBe(report.comparedCount)
  })

  test('looks at both ends of the parameter', async () => {
    const weights = await make()
    const bytes = bytesOf(weights, 'weight')
    bytes[0]! ^= 1
    expect((await weights.verify({ elements: 10_000 })).parameters[0]?.firstMismatch).toBe(0)
    bytes[0]! ^= 1
    bytes[bytes.length - 1]! ^= 1
    expect((await weights.verify({ elements: 10_000 })).parameters[0]?.firstMismatch).toBe(899_999)
  })

  test.each<[VerifyOptions['elements']]>([['all'], [900_000], [2 ** 40], [Number.POSITIVE_INFINITY]])(
    '%s elements are all of them',
    async (elements) => {
      const report = await (await make()).verify({ elements: elements! })
      expect(report.complete).toBe(true)
      expect(report.comparedCount).toBe(900_000)
    },
  )

  test('never compares more than it says it will', async () => {
    const layers = Array.from({ length: 10 }, () => linear(5, 3))
    const weights = await initializeModel(sequential(...layers), 'normal', {}, cpu)
    const report = await weights.verify({ elements: 20 })
    expect(report.ok).toBe(true)
    expect(report.complete).toBe(false)
    expect(report.comparedCount).toBeLessThanOrEqual(20)
  })
})

describe('progress', () => {
  test.each([['all' as const], [20], [100]])('of %s elements rises to its total and not past it', async (elements) => {
    const weights = await initializeModel(sequential(linear(30, 11), linear(11, 5), linear(5, 3)), 'normal', {}, cpu)
    const seen: { elementsDone: number; elementsTotal: number }[] = []
    const report = await weights.verify({ elements, onProgress: (progress) => seen.push({ ...progress }) })
    expect(seen.length).toBeGreaterThan(0)
    for (const [index, { elementsDone, elementsTotal }] of seen.entries()) {
      expect(elementsDone).toBeLessThanOrEqual(elementsTotal)
      if (index > 0) expect(elementsDone).toBeGreaterThanOrEqual(seen[index - 1]!.elementsDone)
    }
    expect(seen.at(-1)?.elementsDone).toBe(seen.at(-1)?.elementsTotal)
    expect(seen.at(-1)?.elementsDone).toBe(report.comparedCount)
  })
})

test('an abort stops it', async () => {
  const weights = await initializeModel(linear(1000, 900), 'normal', {}, cpu)
  const controller = new AbortController()
  const work = weights.verify({ signal: controller.signal, onProgress: () => controller.abort() })
  await expect(work).rejects.toMatchObject({ name: 'AbortError' })
  expect((await weights.verify({ elements: 1000 })).ok).toBe(true)
})

describe('refused', () => {
  test.each<[string, unknown, string]>([
    ['0 elements', { elements: 0 }, '0'],
    ['NaN elements', { elements: Number.NaN }, 'NaN'],
    ['a string', { elements: 'some' }, '"some"'],
    ['an unknown option', { element: 5 }, '"element"'],
  ])('%s', async (_, options, shown) => {
    const weights = await initializeModel(linear(3, 3), 'normal', {}, cpu)
    await expectRefusal(() => weights.verify(options as VerifyOptions), 'INVALID_ARGUMENT', 'verify', shown)
  })
})
