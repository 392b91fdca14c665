// Progress and abort signals on the CPU backend.
import { describe, expect, test } from 'vitest'
import { type InitializationProgress, initializeModel, linear, sequential } from '../../../src/index.js'

const cpu = { device: 'cpu', seed: 1 } as const
const model = sequential(linear(700, 900), linear(900, 300), linear(300, 1))

describe('onProgress', () => {
  test('rises to the total', async () => {
    const seen: InitializationProgress[] = []
    const weights = await initializeModel(
      model,
      'xavier',
      {},
      { ...cpu, onProgress: (progress) => seen.push({ ...progress }) },
    )
    const { byteLength } = weights.plan.totals
    expect(seen.length).toBeGreaterThanOrEqual(3)
    let before = 0
    for (const { bytesDone, bytesTotal, parameter } of seen) {
      expect(bytesDone).toBeGreaterThan(before)
      expect(bytesTotal).toBe(byteLength)
      expect(weights.parameters.has(parameter)).toBe(true)
      before = bytesDone
    }
    expect(before).toBe(byteLength)
    expect(seen.at(-1)?.parameter).toBe('2.bias')
  })

  test.each([
    ['a small model', linear(2, 2)],
    ['exactly one chunk', linear(512, 512, { bias: false })],
  ])('%s ends at its total once', async (_, small) => {
    const seen: InitializationProgress[] = []
    await initializeModel(small, 'xavier', {}, { ...cpu, onProgress: (progress) => seen.push({ ...progress }) })
    expect(seen.filter(({ bytesDone, bytesTotal }) => bytesDone === bytesTotal)).toHaveLength(1)
  })

  test('an error that it throws ends the call', async () => {
    const onProgress = (): void => {
      throw new RangeError('from the callback')
    }
    await expect(initializeModel(model, 'xavier', {}, { ...cpu, onProgress })).rejects.toThrow('from the callback')
  })
})

describe('signal', () => {
  test('aborted before: nothing is made, not even in the caller’s memory', async () => {
    const buffer = new ArrayBuffer(16)
    const work = initializeModel(
      linear(2, 2),
      'ones',
      {},
      { ...cpu, signal: AbortSignal.abort(), into: { weight: { buffer } } },
    )
    await expect(work).rejects.toMatchObject({ name: 'AbortError' })
    expect([...new Uint8Array(buffer)]).toEqual(new Array(16).fill(0))
  })

  test('aborted on the way: stops there', async () => {
    const controller = new AbortController()
    let calls = 0
    const onProgress = (): void => {
      calls++
      controller.abort()
    }
    const work = initializeModel(model, 'normal', {}, { ...cpu, signal: controller.signal, onProgress })
    await expect(work).rejects.toMatchObject({ name: 'AbortError' })
    expect(calls).toBe(1)
  })

  test('aborted from outside: the event loop turns between chunks', async () => {
    const controller = new AbortController()
    setImmediate(() => controller.abort())
    await expect(initializeModel(model, 'normal', {}, { ...cpu, signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  test('rejects with the reason that was given', async () => {
    const reason = new Error('tab closed')
    await expect(initializeModel(model, 'normal', {}, { ...cpu, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
  })

  test('that is never aborted changes nothing', async () => {
    const plain = await initializeModel(linear(9, 9), 'normal', {}, cpu)
    const watched = await initializeModel(linear(9, 9), 'normal', {}, { ...cpu, signal: new AbortController().signal })
    expect(await watched.read('weight')).toEqual(await plain.read('weight'))
  })
})
