// Large weights: binding windows, segments, many parameters, peak memory.
import { describe, expect, test } from 'vitest'
import { byteWidth } from '../../src/core/dtype.js'
import { fillBytes } from '../../src/cpu/fill.js'
import { fillJob } from '../../src/fill/make-job.js'
import {
  type InitializedModel,
  initializeModel,
  NormalInitializer,
  normal,
  uniform,
  WeightInitError,
} from '../../src/index.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { countDifferences } from '../support/bits.js'
import { adapterName, requestDefaultLimitsDevice } from '../support/gpu.js'
import { hostBytes } from '../support/leaks.js'
import { fixSpeed, watchDevice } from '../support/track.js'

const MIB = 2 ** 20

/** A device whose bindings are WebGPU's default of 128 MiB, with buffers as large as the adapter has them. */
async function narrowBindingDevice(): Promise<GPUDevice> {
  const { create } = await import('webgpu')
  instance ??= create([])
  const adapter = await instance.requestAdapter()
  return adapter!.requestDevice({ requiredLimits: { maxBufferSize: adapter!.limits.maxBufferSize } })
}
let instance: GPU | undefined

/** Compares `count` elements from each `first` on with the CPU's. */
async function differencesAt(
  weights: InitializedModel,
  name: string,
  firsts: number[],
  count: number,
): Promise<number> {
  const parameter = weights.plan.parameters.find((p) => p.name === name)!
  const width = byteWidth(parameter.dtype)
  let differences = 0
  for (const first of firsts) {
    const from = Math.max(0, Math.floor(Math.min(first, parameter.elementCount - count) / 4) * 4)
    const length = Math.min(count, parameter.elementCount - from)
    const actual = await weights.readBytes(name, from * width, length * width)
    differences += countDifferences(actual, fillBytes(fillJob(parameter), from, length), width).count
  }
  return differences
}

describe(`scale on ${adapterName}`, () => {
  test('150 M elements through 128 MiB windows: equal at every border; peak memory is the weights', async () => {
    const device = await narrowBindingDevice()
    expect(device.limits.maxStorageBufferBindingSize).toBe(128 * MIB)
    const elementCount = 150_000_007
    const model = { parameters: [{ name: 'w', shape: [elementCount], role: 'weight' as const }] }
    const watch = watchDevice(device)
    const hostBefore = hostBytes()
    let hostPeak = 0
    let updates = 0
    using weights = await initializeModel(model, uniform, {
      device,
      seed: 1,
      dtype: 'bfloat16',
      onProgress: () => {
        updates++
        hostPeak = Math.max(hostPeak, hostBytes() - hostBefore)
      },
    })
    const bytes = elementCount * 2
    expect(watch.peakBytes).toBeLessThan(1.01 * bytes)
    expect(hostPeak).toBeLessThan(8 * MIB)
    expect(watch.writtenBytes, 'uniform blocks, and no weights by way of the host').toBeLessThan(MIB)
    expect(updates).toBeGreaterThan(1)
    // Windows advance by half of 128 MiB; any border is a multiple of 2^25 elements, give or take its alignment.
    const borders = Array.from({ length: Math.floor(elementCount / 2 ** 25) }, (_, i) => (i + 1) * 2 ** 25 - 2048)
    expect(await differencesAt(weights, 'w', [0, ...borders, elementCount], 4096)).toBe(0)
    weights.destroy()
    expect(watch.live.size).toBe(0)
    device.destroy()
  })

  test('a tensor over maxBufferSize is refused with the remedy, or lives in segments that equal the CPU', async () => {
    const device = await requestDefaultLimitsDevice()
    const watch = watchDevice(device)
    const limit = device.limits.maxBufferSize
    const elementCount = limit / 4 + 1_000_003
    const model = {
      parameters: [
        { name: 'big', shape: [elementCount], role: 'weight' as const },
        { name: 'tied', shape: [elementCount], role: 'weight' as const, tiedTo: 'big' },
        { name: 'small', shape: [33, 3] },
      ],
    }
    await expect(initializeModel(model, uniform, { device, seed: 1 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/"big" needs \d+ bytes.*maxBufferSize 268435456.*segments: true/),
    })
    expect(watch.live.size).toBe(0)
    using weights = await initializeModel(model, uniform, { device, seed: 1, segments: true, buffers: 'packed' })
    const big = weights.get('big')
    expect(big.segments.map((s) => [s.firstElement, s.elementCount, s.byteOffset, s.byteLength])).toEqual([
      [0, limit / 4, 0, limit],
      [limit / 4, 1_000_003, 0, 4_000_012],
    ])
    expect(big.segments.every(({ buffer, byteLength }) => buffer.size >= byteLength && buffer.size <= limit)).toBe(true)
    expect(weights.get('tied').segments[1]!.buffer).toBe(big.segments[1]!.buffer)
    expect(() => big.buffer).toThrow(WeightInitError)
    expect(weights.get('small').segments).toHaveLength(1)
    expect(weights.get('small').segments[0]!.buffer).toBe(weights.get('small').buffer)
    expect(await differencesAt(weights, 'big', [0, 2 ** 25, limit / 4 - 1000, limit / 4, elementCount], 4096)).toBe(0)
    expect(await weights.verify({ elements: 2 ** 20 })).toMatchObject({ ok: true })
    expect((await weights.statistics()).get('big')).toMatchObject({ count: elementCount, nonFiniteCount: 0 })
    weights.destroy()
    expect(watch.live.size).toBe(0)
    device.destroy()
  })

  test('10,000 parameters go out in a few submits', async () => {
    const device = await requestNodeDevice()
    fixSpeed(device)
    const watch = watchDevice(device)
    const initializer = new NormalInitializer({ std: 0.02 })
    await (await initializeModel({ parameters: [{ name: 'w', shape: [8, 8] }] }, initializer, { device })).destroy()
    const parameters = Array.from({ length: 10_000 }, (_, i) => ({
      name: `layers.${i}.weight`,
      shape: [8, 8 + (i % 5)],
    }))
    for (const buffers of ['packed', 'separate'] as const) {
      watch.submits = 0
      const weights = await initializeModel({ parameters }, initializer, { device, seed: 4, buffers })
      expect(watch.submits).toBeLessThanOrEqual(4)
      expect(weights.parameters.size).toBe(10_000)
      for (const name of ['layers.0.weight', 'layers.4095.weight', 'layers.4096.weight', 'layers.9999.weight']) {
        expect(await differencesAt(weights, name, [0], 64)).toBe(0)
      }
      if (buffers === 'packed') expect((await weights.verify({ elements: 40_000 })).ok).toBe(true)
      weights.destroy()
    }
    expect(watch.live.size).toBe(0)
    device.destroy()
  })

  test('a small model is one submit; peak memory is the weights and 1 %', async () => {
    const device = await requestNodeDevice()
    fixSpeed(device)
    const watch = watchDevice(device)
    const model = { parameters: Array.from({ length: 12 }, (_, i) => ({ name: `${i}.weight`, shape: [128, 256] })) }
    // The first call tests the device once.
    for (const submits of [undefined, 1]) {
      watch.submits = 0
      watch.peakBytes = 0
      const weights = await initializeModel(model, normal, { device, seed: 4 })
      if (submits !== undefined) expect(watch.submits).toBe(submits)
      expect(watch.peakBytes).toBeLessThanOrEqual(1.01 * weights.plan.totals.byteLength)
      weights.destroy()
    }
    expect(watch.live.size).toBe(0)
    device.destroy()
  })

  const sources = ['torch-cpu', 'torch-stateless', 'jax', { name: 'torch-cuda', threads: 40_960 }] as const
  test.each(sources)(
    'peak memory with a generator of another library is the weights and 1 %: %o',
    async (generator) => {
      const device = await requestNodeDevice()
      const watch = watchDevice(device)
      const one = { parameters: [{ name: 'w', shape: [2 ** 24 + 5], role: 'weight' as const }] }
      const weights = await initializeModel(one, 'uniform', {}, { device, seed: 1, generator })
      expect(watch.peakBytes).toBeLessThan(1.01 * 4 * (2 ** 24 + 5))
      weights.destroy()
      expect(watch.live.size).toBe(0)
      device.destroy()
    },
  )

  test('progress counts every byte, in order, and names parameters; an abort stops within one submit', async () => {
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    const model = {
      parameters: Array.from({ length: 4 }, (_, i) => ({ name: `p${i}`, shape: [2048, 1024] })),
    }
    const seen: { parameter: string; bytesDone: number; bytesTotal: number }[] = []
    using weights = await initializeModel(model, normal, { device, seed: 1, onProgress: (p) => seen.push(p) })
    expect(seen.at(-1)).toEqual({ parameter: 'p3', bytesDone: 4 * 2 ** 23, bytesTotal: 4 * 2 ** 23 })
    expect(seen.length).toBeGreaterThan(1)
    expect(seen.every(({ bytesDone }, i) => i === 0 || bytesDone > seen[i - 1]!.bytesDone)).toBe(true)
    weights.destroy()
    const abort = new AbortController()
    let submitsAtAbort = 0
    const call = initializeModel(model, normal, {
      device,
      seed: 1,
      signal: abort.signal,
      onProgress: () => {
        if (abort.signal.aborted) return
        submitsAtAbort = watch.submits
        abort.abort()
      },
    })
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(watch.submits - submitsAtAbort).toBeLessThanOrEqual(1)
    expect(watch.live.size).toBe(0)
    device.destroy()
  })
})
