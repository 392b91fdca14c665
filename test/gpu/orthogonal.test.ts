// Orthogonal matrices on the device: orthonormal to 2e-6, the Q of that very matrix, the same bits every time.
import { describe, expect, test, vi } from 'vitest'
import { decodeFloat32 } from '../../src/core/decode.js'
import { byteWidth, type FloatDType, floatDTypes } from '../../src/core/dtype.js'
import { DeviceLostError } from '../../src/core/errors.js'
import { deviceState } from '../../src/gpu/device/device-state.js'
import { CACHE_MS } from '../../src/gpu/device/scratch.js'
import {
  orthogonalityError,
  orthogonalizeOnGpu,
  orthogonalScratchBytes,
} from '../../src/gpu/orthogonal/orthogonalize.js'
import { orthonormalityError } from '../../src/linalg/qr.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { adapterName, readBuffer, useDevice } from '../support/gpu.js'
import { expectedQ, largestDifference, testNormals } from '../support/matrices.js'
import { onCall } from '../support/track.js'

const gpu = useDevice()
const USAGE = 0x80 | 0x4 | 0x8

function upload(values: Float32Array, byteOffset = 0, device = gpu.device): GPUBuffer {
  const buffer = device.createBuffer({ size: byteOffset + values.byteLength + 64, usage: USAGE })
  device.queue.writeBuffer(buffer, byteOffset, values as Float32Array<ArrayBuffer>)
  return buffer
}

/** Q on the device, in place; everything made here is destroyed again. */
async function onGpu(values: Float32Array, rows: number, cols: number, batch = 1, gain = 1): Promise<Float32Array> {
  const buffer = upload(values)
  const region = { buffer, byteOffset: 0, dtype: 'float32' } as const
  await orthogonalizeOnGpu(gpu.state, region, region, { batch, rows, cols }, gain)
  const bytes = await readBuffer(gpu.device, buffer)
  buffer.destroy()
  return new Float32Array(bytes.buffer, 0, values.length)
}

describe(`orthogonal on ${adapterName}`, () => {
  const shapes: (readonly [batch: number, rows: number, cols: number])[] = [
    [1, 1, 1],
    [1, 1, 9],
    [1, 9, 1],
    [1, 2, 2],
    [1, 3, 3],
    [1, 3, 5],
    [1, 7, 6],
    [1, 9, 9],
    [5, 9, 7],
    [1, 31, 33],
    [1, 32, 32],
    [1, 63, 63],
    [1, 64, 64],
    [1, 65, 65],
    [1, 100, 257],
    [1, 257, 100],
    [12, 64, 64],
    [3, 40, 600],
    [1, 512, 512],
    // The larger ones where the device is not too slow: five times slower is SwiftShader.
    ...(adapterName === 'swiftshader'
      ? []
      : ([
          [1, 1024, 1024],
          [1, 768, 3072],
        ] as const)),
  ]
  test.each(shapes)('%i of %i x %i', async (batch, rows, cols) => {
    const live = gpu.liveBuffers()
    const a = testNormals(batch * rows * cols, 1000 * rows + cols)
    const q = await onGpu(a, rows, cols, batch)
    expect(gpu.liveBuffers()).toBe(live)
    expect(orthonormalityError(q, rows, cols, batch)).toBeLessThan(2e-6)
    expect(largestDifference(q, expectedQ(a, rows, cols, batch))).toBeLessThan(2e-5)
  })

  test('R = transpose(Q) A is upper triangular with a positive diagonal', async () => {
    const [rows, cols] = [150, 90]
    const a = testNormals(rows * cols, 77)
    const q = await onGpu(a, rows, cols)
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j <= i; j++) {
        let r = 0
        for (let k = 0; k < rows; k++) r += q[k * cols + i]! * a[k * cols + j]!
        if (i === j) expect(r).toBeGreaterThan(1)
        else expect(Math.abs(r)).toBeLessThan(2e-5)
      }
    }
  })

  test('the same bits every time', async () => {
    const a = testNormals(200 * 130, 5)
    const first = await onGpu(a, 200, 130)
    for (let again = 0; again < 3; again++) expect(largestDifference(await onGpu(a, 200, 130), first)).toBe(0)
  })

  test('small scratch memory serves the next call, whatever lies in it, and goes after two seconds', async () => {
    const first = testNormals(60 * 60, 12)
    const fresh = await onGpu(first, 60, 60)
    const live = gpu.liveBuffers()
    // The rests while a device works are real ones.
    const rest = setTimeout
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const fake = setTimeout
    vi.stubGlobal('setTimeout', (act: () => void, ms: number) => (ms < 100 ? rest : fake)(act, ms))
    try {
      const other = await onGpu(testNormals(130 * 100, 13), 130, 100)
      const kept = gpu.heldBuffers()
      expect(kept).toBeGreaterThan(live)
      expect(orthonormalityError(other, 130, 100)).toBeLessThan(2e-6)
      vi.advanceTimersByTime(CACHE_MS - 1)
      expect(largestDifference(await onGpu(first, 60, 60), fresh)).toBe(0)
      expect(gpu.heldBuffers()).toBe(kept)
      // The wait began again.
      vi.advanceTimersByTime(CACHE_MS - 1)
      expect(gpu.heldBuffers()).toBe(kept)
      vi.advanceTimersByTime(1)
      expect(gpu.heldBuffers()).toBe(live)
      // Of two calls at a time each has its own, and one of them is kept.
      await Promise.all([onGpu(first, 60, 60), onGpu(first, 60, 60)])
      expect(gpu.heldBuffers()).toBe(kept)
    } finally {
      vi.unstubAllGlobals()
      vi.useRealTimers()
      expect(gpu.liveBuffers()).toBe(live)
    }
  })

  test('workgroups as for hardware and as for a CPU give the same bits', async () => {
    const a = testNormals(2 * 130 * 96, 7)
    const shape = { batch: 2, rows: 130, cols: 96 }
    const made: Float32Array[] = []
    // As it is, and without and with what is for a CPU: lavapipe's product shares loads in a subgroup.
    const given = gpu.device.adapterInfo
    if (adapterName === 'lavapipe') expect(gpu.device.features.has('subgroups')).toBe(true)
    for (const adapterInfo of [given, { isFallbackAdapter: true }, { isFallbackAdapter: false }]) {
      const device = await requestNodeDevice()
      Object.defineProperty(device, 'adapterInfo', { value: adapterInfo })
      const buffer = upload(a, 0, device)
      const region = { buffer, byteOffset: 0, dtype: 'float32' } as const
      await orthogonalizeOnGpu(deviceState(device), region, region, shape, 1)
      made.push(new Float32Array((await readBuffer(device, buffer)).buffer, 0, a.length))
      device.destroy()
    }
    expect(orthonormalityError(made[0]!, 130, 96, 2)).toBeLessThan(2e-6)
    expect(largestDifference(made[0]!, made[1]!)).toBe(0)
    expect(largestDifference(made[0]!, made[2]!)).toBe(0)
  })

  test.each(floatDTypes)('gain and %s, beside other data', async (dtype: FloatDType) => {
    const [batch, rows, cols, gain] = [3, 15, 9, Math.SQRT2]
    const count = batch * rows * cols
    const a = testNormals(count, 6)
    const source = upload(a, 260)
    const width = byteWidth(dtype)
    const target = gpu.device.createBuffer({ size: 2048, usage: USAGE })
    const before = new Uint8Array(2048).fill(0xaa)
    gpu.device.queue.writeBuffer(target, 0, before)
    const region = { buffer: target, byteOffset: 12, dtype }
    const shape = { batch, rows, cols }
    await orthogonalizeOnGpu(gpu.state, { buffer: source, byteOffset: 260 }, region, shape, gain)
    const bytes = await readBuffer(gpu.device, target)
    const end = 12 + count * width
    expect(bytes.subarray(0, 12)).toEqual(before.subarray(0, 12))
    expect(bytes.subarray(end)).toEqual(before.subarray(end))
    const q = decodeFloat32(bytes.slice(12, end), dtype)
    const tolerance = { float32: 2e-6, float16: 1e-3, bfloat16: 8e-3, float8_e4m3fn: 0.13, float8_e5m2: 0.26 }[dtype]
    expect(largestDifference(q, expectedQ(a, rows, cols, batch, gain))).toBeLessThan(tolerance)
    expect(new Float32Array((await readBuffer(gpu.device, source)).buffer, 260, count)).toEqual(a)
    const error = await orthogonalityError(gpu.state, region, shape, gain)
    expect(Math.abs(error - orthonormalityError(q, rows, cols, batch, gain))).toBeLessThan(1e-6)
    source.destroy()
    target.destroy()
  })

  test('singular matrices come out orthonormal and finite', async () => {
    const repeated = testNormals(100 * 70, 8)
    for (let i = 0; i < 100; i++) {
      for (const j of [3, 4, 40, 69]) repeated[i * 70 + j] = repeated[i * 70 + 2]!
      repeated[i * 70 + 50] = 0
    }
    for (const a of [new Float32Array(7000), new Float32Array(7000).fill(1), repeated]) {
      expect(orthonormalityError(await onGpu(a, 100, 70), 100, 70)).toBeLessThan(2e-6)
    }
    const square = testNormals(96 * 96, 3)
    for (let i = 0; i < 96; i++) square[i * 96 + 95] = square[i * 96]! + square[i * 96 + 1]!
    expect(orthonormalityError(await onGpu(square, 96, 96), 96, 96)).toBeLessThan(2e-6)
  })

  test('the orthogonality error shows what is wrong, and what is not finite', async () => {
    const shape = { batch: 2, rows: 40, cols: 50 }
    const good = expectedQ(testNormals(4000, 4), 40, 50, 2)
    const measure = async (values: Float32Array): Promise<number> => {
      const buffer = upload(values, 8)
      const error = await orthogonalityError(gpu.state, { buffer, byteOffset: 8, dtype: 'float32' }, shape, 1)
      buffer.destroy()
      return error
    }
    expect(await measure(good)).toBeLessThan(1e-6)
    for (const [at, value] of [
      [0, 0.5],
      [1999, -0.4],
      [3777, 1],
    ] as const) {
      const bad = good.slice()
      bad[at] = value
      expect(await measure(bad)).toBeCloseTo(orthonormalityError(bad, 40, 50, 2), 5)
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const bad = good.slice()
      bad[2100] = value
      expect(await measure(bad)).toBeNaN()
    }
    expect(await measure(new Float32Array(4000))).toBe(1)
  })

  test('Haar: moments of the elements and of the trace', async () => {
    // 500 matrices of 3 x 3: E q^2 = 1/3, E q = 0, E trace = 0, E trace^2 = 1 for O(n); six standard errors.
    const count = 500
    const q = await onGpu(testNormals(9 * count, 11), 3, 3, count)
    const mean = (f: (i: number) => number): number =>
      Array.from({ length: count }, (_, i) => f(9 * i)).reduce((a, b) => a + b, 0) / count
    const bound = 6 / Math.sqrt(count)
    for (let e = 0; e < 9; e++) {
      expect(Math.abs(mean((i) => q[i + e]!))).toBeLessThan(bound * 0.58)
      expect(Math.abs(mean((i) => q[i + e]! ** 2) - 1 / 3)).toBeLessThan(bound * 0.3)
    }
    const trace = (i: number): number => q[i]! + q[i + 4]! + q[i + 8]!
    expect(Math.abs(mean(trace))).toBeLessThan(bound)
    expect(Math.abs(mean((i) => trace(i) ** 2) - 1)).toBeLessThan(bound * 1.5)
  })

  test('empty shapes are no work; a matrix over the limits is refused before any', async () => {
    const live = gpu.liveBuffers()
    const buffer = upload(new Float32Array(4))
    const region = { buffer, byteOffset: 0, dtype: 'float32' } as const
    await orthogonalizeOnGpu(gpu.state, region, region, { batch: 1, rows: 0, cols: 3 }, 1)
    const huge = { batch: 1, rows: 2 ** 17, cols: 2 ** 17 }
    await expect(orthogonalizeOnGpu(gpu.state, region, region, huge, 1)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/131072 x 131072 matrix needs a scratch buffer of \d+ bytes; this device binds/),
    })
    expect(() => orthogonalScratchBytes(gpu.state, huge)).toThrow(/scratch/)
    expect(orthogonalScratchBytes(gpu.state, { batch: 1, rows: 256, cols: 256 })).toBeLessThan(8 * 4 * 256 * 256)
    buffer.destroy()
    expect(gpu.liveBuffers()).toBe(live)
  })

  test('an aborted call rejects and frees everything', async () => {
    const live = gpu.liveBuffers()
    const buffer = upload(testNormals(512 * 512, 3))
    const region = { buffer, byteOffset: 0, dtype: 'float32' } as const
    const shape = { batch: 1, rows: 512, cols: 512 }
    await expect(orthogonalizeOnGpu(gpu.state, region, region, shape, 1, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    })
    const abort = new AbortController()
    const call = orthogonalizeOnGpu(gpu.state, region, region, shape, 1, abort.signal)
    onCall(gpu.device.queue, 'submit', 1, () => abort.abort())
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    buffer.destroy()
    expect(gpu.liveBuffers()).toBe(live)
  })

  test('a lost device is DeviceLostError, whenever it goes', async () => {
    const device = await requestNodeDevice()
    const buffer = upload(testNormals(512 * 512, 3), 0, device)
    const region = { buffer, byteOffset: 0, dtype: 'float32' } as const
    const shape = { batch: 1, rows: 512, cols: 512 }
    onCall(device.queue, 'submit', 1, () => setImmediate(() => device.destroy()))
    const call = orthogonalizeOnGpu(deviceState(device), region, region, shape, 1).catch((error: unknown) => error)
    expect(await call).toBeInstanceOf(DeviceLostError)
    await expect(orthogonalizeOnGpu(deviceState(device), region, region, shape, 1)).rejects.toThrow(DeviceLostError)
    await expect(orthogonalityError(deviceState(device), region, shape, 1)).rejects.toThrow(DeviceLostError)
  })
})
