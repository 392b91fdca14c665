// Bad buffers, lost devices, cancelled and concurrent calls: one clear error, nothing written, nothing left behind.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  DeviceLostError,
  initializeModel,
  linear,
  normal,
  relu,
  sequential,
  uniform,
  WeightInitError,
} from '../../src/index.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { adapterName, readBuffer, requestDefaultLimitsDevice, useDevice } from '../support/gpu.js'

const gpu = useDevice()
const model = sequential(linear(64, 32), relu(), linear(32, 10))
const one = { parameters: [{ name: 'w', shape: [16, 16] }] }
const USAGE = 0x80 | 0x4 | 0x8

describe(`faults on ${adapterName}`, () => {
  let other: GPUDevice
  beforeAll(async () => {
    other = await requestNodeDevice()
  })
  afterAll(() => other.destroy())

  const cases: readonly [string, () => { buffer: unknown; byteOffset?: unknown }, RegExp][] = [
    [
      'too small',
      () => ({ buffer: gpu.device.createBuffer({ size: 1020, usage: USAGE }) }),
      /too small: 1024 bytes at offset 0 need .* 1024 .* has 1020/,
    ],
    [
      'too small at its offset',
      () => ({ buffer: gpu.device.createBuffer({ size: 1024, usage: USAGE }), byteOffset: 4 }),
      /at offset 4 need .* 1028/,
    ],
    ['no STORAGE', () => ({ buffer: gpu.device.createBuffer({ size: 1024, usage: 0x4 | 0x8 }) }), /lacks STORAGE/],
    ['no COPY_SRC', () => ({ buffer: gpu.device.createBuffer({ size: 1024, usage: 0x80 | 0x8 }) }), /lacks COPY_SRC/],
    [
      'misaligned',
      () => ({ buffer: gpu.device.createBuffer({ size: 2048, usage: USAGE }), byteOffset: 2 }),
      /multiple of 4, but found 2/,
    ],
    [
      'negative offset',
      () => ({ buffer: gpu.device.createBuffer({ size: 2048, usage: USAGE }), byteOffset: -4 }),
      /multiple of 4, but found -4/,
    ],
    [
      'NaN offset',
      () => ({ buffer: gpu.device.createBuffer({ size: 2048, usage: USAGE }), byteOffset: Number.NaN }),
      /but found NaN/,
    ],
    ['another device', () => ({ buffer: other.createBuffer({ size: 1024, usage: USAGE }) }), /cannot use the buffer/],
    [
      'destroyed',
      () => {
        const buffer = gpu.device.createBuffer({ size: 1024, usage: USAGE })
        buffer.destroy()
        return { buffer }
      },
      /cannot use the buffer/,
    ],
    [
      'mapped',
      () => ({ buffer: gpu.device.createBuffer({ size: 1024, usage: USAGE, mappedAtCreation: true }) }),
      /cannot use the buffer/,
    ],
    ['an ArrayBuffer', () => ({ buffer: new ArrayBuffer(1024) }), /must be a GPUBuffer/],
    ['nothing', () => ({ buffer: undefined }), /must be a GPUBuffer/],
  ]

  test.each(cases)('into: %s', async (_, region, message) => {
    const live = gpu.liveBuffers()
    const target = region()
    const call = initializeModel(one, normal, { device: gpu.device, seed: 1, into: { w: target as never } })
    const error = await call.catch((e: unknown) => e)
    expect(error).toBeInstanceOf(WeightInitError)
    expect((error as WeightInitError).code).toBe('INVALID_BUFFER')
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).toContain('"w"')
    ;(target.buffer as GPUBuffer | undefined)?.destroy?.()
    expect(gpu.liveBuffers()).toBe(live)
  })

  test('into several buffers: nothing beside the segments, bits of the whole; a bad one leaves the good ones alone', async () => {
    const shape = [16, 15]
    const whole = await initializeModel({ parameters: [{ name: 'w', shape }] }, normal, { device: 'cpu', seed: 4 })
    const expected = await whole.readBytes('w')
    const buffers = [0, 1, 2].map(() => gpu.device.createBuffer({ size: 1024, usage: USAGE }))
    const clean = new Uint8Array(1024).fill(0x5a)
    for (const buffer of buffers) gpu.device.queue.writeBuffer(buffer, 0, clean)
    const segments = [
      { buffer: buffers[0]!, byteOffset: 12, byteLength: 52 },
      { buffer: buffers[1]!, byteOffset: 260, byteLength: 404 },
      { buffer: buffers[2]!, byteOffset: 0, byteLength: 504 },
    ]
    const run = (list: unknown[]) =>
      initializeModel({ parameters: [{ name: 'w', shape }] }, normal, {
        device: gpu.device,
        seed: 4,
        into: { w: { segments: list as never } },
      })
    const destroyed = gpu.device.createBuffer({ size: 1024, usage: USAGE })
    destroyed.destroy()
    for (const [bad, message] of [
      [{ buffer: destroyed, byteLength: 504 }, /"w".*cannot use the buffer/],
      [{ buffer: other.createBuffer({ size: 1024, usage: USAGE }) }, /"w".*cannot use the buffer/],
      [{ buffer: gpu.device.createBuffer({ size: 1024, usage: 0x80 }) }, /segments\[2\].*lacks COPY_SRC/],
      [{ buffer: buffers[2]!, byteLength: 508 }, /segments\[2\].*504 bytes that are left/],
      [{ buffer: buffers[2]!, byteOffset: 600 }, /hold 880 bytes.*960/],
      [{ buffer: buffers[1]!, byteOffset: 512 }, /segments\[2\] begins at byte 512, inside into\["w"\].segments\[1\]/],
      [new ArrayBuffer(504), /buffer must be a GPUBuffer/],
    ] as [object, RegExp][]) {
      await expect(run([segments[0], segments[1], bad])).rejects.toMatchObject({
        code: 'INVALID_BUFFER',
        message: expect.stringMatching(message),
      })
      for (const buffer of buffers) expect(await readBuffer(gpu.device, buffer)).toEqual(clean)
    }
    const weights = await run(segments)
    expect(await weights.readBytes('w')).toEqual(expected)
    expect(await weights.verify()).toMatchObject({ ok: true, complete: true })
    expect((await weights.statistics()).get('w')).toMatchObject({ count: 240, nonFiniteCount: 0 })
    expect(weights.get('w').segments.map(({ firstElement }) => firstElement)).toEqual([0, 13, 114])
    let at = 0
    for (const { buffer, byteOffset, byteLength } of segments) {
      const bytes = await readBuffer(gpu.device, buffer)
      expect(bytes.slice(byteOffset, byteOffset + byteLength)).toEqual(expected.slice(at, at + byteLength))
      expect(bytes.slice(0, byteOffset)).toEqual(clean.slice(0, byteOffset))
      expect(bytes.slice(byteOffset + byteLength)).toEqual(clean.slice(byteOffset + byteLength))
      at += byteLength
    }
    weights.destroy()
    expect((await readBuffer(gpu.device, buffers[0]!)).slice(12, 64)).toEqual(expected.slice(0, 52))
    for (const buffer of buffers) buffer.destroy()
  })

  test('into: an unknown name, and two parameters that overlap', async () => {
    const buffer = gpu.device.createBuffer({ size: 1 << 16, usage: USAGE })
    await expect(initializeModel(one, normal, { device: gpu.device, into: { nope: { buffer } } })).rejects.toThrow(
      /"nope".*no parameter/,
    )
    const into = { '0.weight': { buffer }, '0.bias': { buffer, byteOffset: 64 * 32 * 4 - 4 } }
    await expect(initializeModel(model, normal, { device: gpu.device, into })).rejects.toThrow(
      /"0.bias".*inside.*"0.weight"/,
    )
    expect(await readBuffer(gpu.device, buffer)).toEqual(new Uint8Array(1 << 16))
    buffer.destroy()
  })

  test('one bad region among good ones leaves the good ones unwritten', async () => {
    const good = gpu.device.createBuffer({ size: 64 * 32 * 4, usage: USAGE })
    const bad = gpu.device.createBuffer({ size: 64 * 32 * 4, usage: USAGE })
    bad.destroy()
    const into = { '0.weight': { buffer: good }, '2.weight': { buffer: bad } }
    await expect(initializeModel(model, normal, { device: gpu.device, seed: 1, into })).rejects.toThrow(/"2.weight"/)
    expect(await readBuffer(gpu.device, good)).toEqual(new Uint8Array(64 * 32 * 4))
    good.destroy()
  })

  test('a parameter over maxBufferSize is refused before any allocation', async () => {
    const device = await requestDefaultLimitsDevice()
    let created = 0
    const { createBuffer } = device
    device.createBuffer = (descriptor) => {
      created++
      return createBuffer.call(device, descriptor)
    }
    const parameters = [
      { name: 'small', shape: [4, 4] },
      { name: 'huge', shape: [2 ** 26 + 1, 1], role: 'weight' as const },
    ]
    await expect(initializeModel({ parameters }, normal, { device, seed: 1 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/"huge" needs 268435460 bytes.*maxBufferSize 268435456/),
    })
    expect(created).toBe(0)
    device.destroy()
  })

  test('a device that was destroyed before, and one destroyed meanwhile', async () => {
    const device = await requestNodeDevice()
    const weights = await initializeModel(model, normal, { device, seed: 1 })
    const reading = weights.read('0.weight').catch((e: unknown) => e)
    device.destroy()
    const outcome = await reading
    expect(outcome instanceof Float32Array || outcome instanceof DeviceLostError).toBe(true)
    await device.lost
    await expect(initializeModel(model, normal, { device, seed: 1 })).rejects.toThrow(DeviceLostError)
    await expect(weights.read('0.weight')).rejects.toThrow(DeviceLostError)
    await expect(weights.statistics()).rejects.toThrow(DeviceLostError)
    await expect(weights.verify()).rejects.toThrow(DeviceLostError)
    weights.destroy()

    const second = await requestNodeDevice()
    const pending = initializeModel({ parameters: [{ name: 'w', shape: [4096, 1024] }] }, normal, {
      device: second,
      seed: 1,
    })
    second.destroy()
    await expect(pending).rejects.toThrow(DeviceLostError)
  })

  test('an aborted call rejects with AbortError and frees everything', async () => {
    const live = gpu.liveBuffers()
    await expect(
      initializeModel(model, normal, { device: gpu.device, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: 'AbortError' })
    const abort = new AbortController()
    const large = {
      parameters: [
        { name: 'a', shape: [4096, 4096] },
        { name: 'b', shape: [4096, 4096] },
      ],
    }
    const call = initializeModel(large, uniform, {
      device: gpu.device,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    })
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(gpu.liveBuffers()).toBe(live)
  })

  test('two calls at once do not disturb each other; destroy brings the count of live buffers back', async () => {
    const live = gpu.liveBuffers()
    const seeds = [1, 2, 3, 4]
    const results = await Promise.all(
      seeds.map((seed) => initializeModel(model, seed % 2 ? normal : uniform, { device: gpu.device, seed })),
    )
    for (const weights of results) expect((await weights.verify()).ok).toBe(true)
    for (const weights of results) {
      await weights.statistics()
      weights.destroy()
      weights.destroy()
    }
    expect(gpu.liveBuffers()).toBe(live)
    await expect(results[0]!.read('0.weight')).rejects.toMatchObject({ code: 'DESTROYED' })
  })

  test('pipelines are compiled once per device, also by calls at the same time', async () => {
    const device = await requestNodeDevice()
    let compiled = 0
    const { createComputePipelineAsync } = device
    device.createComputePipelineAsync = (descriptor) => {
      compiled++
      return createComputePipelineAsync.call(device, descriptor)
    }
    const results = await Promise.all([1, 2].map((seed) => initializeModel(model, normal, { device, seed })))
    results.push(
      await initializeModel(
        model,
        new (normal.constructor as never as { new (c: object): typeof normal })({ std: 3 }),
        { device, seed: 3 },
      ),
    )
    expect(compiled).toBe(2) // normal float32 and constant
    for (const weights of results) weights.destroy()
    device.destroy()
  })
})
