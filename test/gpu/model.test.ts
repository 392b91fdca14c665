// initializeModel on a device: values, placement, reading, statistics, verification.
import { describe, expect, test } from 'vitest'
import { sampleRange } from '../../src/cpu/samplers.js'
import { simdSampler } from '../../src/cpu/simd.js'
import {
  batchNorm,
  conv2d,
  defineModel,
  embedding,
  initializeModel,
  initializeTensor,
  layerNorm,
  linear,
  NormalInitializer,
  normal,
  relu,
  sequential,
  uniform,
  xavierUniform,
} from '../../src/index.js'
import { countDifferences, sha256 } from '../support/bits.js'
import { contractCases, contractModel, contractName } from '../support/contract.js'
import { randomDistributions } from '../support/distributions.js'
import { adapterName, readBuffer, requestDefaultLimitsDevice, useDevice } from '../support/gpu.js'
import { samplerSource } from '../support/parameters.js'
import golden from '../vectors/contract_v1.json' with { type: 'json' }

const gpu = useDevice()
const mlp = sequential(linear(784, 256), relu(), linear(256, 10))

describe(`initializeModel on ${adapterName}`, () => {
  test('the golden hashes of the value contract', async () => {
    for (const { id, initializer, dtype, seed } of contractCases) {
      using weights = await initializeModel(contractModel, initializer, { device: gpu.device, dtype, seed })
      const hash = sha256(await weights.readBytes(contractName))
      expect({ id, hash }).toEqual({ id, hash: (golden.sha256 as Record<string, string>)[id] })
    }
  })

  test('the same hashes on the CPU of this runtime, whose WebAssembly makes the bits of the TypeScript samplers', async () => {
    for (const { id, initializer, dtype, seed } of contractCases) {
      using weights = await initializeModel(contractModel, initializer, { device: 'cpu', dtype, seed })
      const hash = sha256(await weights.readBytes(contractName))
      expect({ id, hash }).toEqual({ id, hash: (golden.sha256 as Record<string, string>)[id] })
    }
    for (const [name, distribution] of Object.entries(randomDistributions).filter(
      ([, { kind }]) => kind !== 'sparse',
    )) {
      const source = samplerSource(distribution, { key: 42n, counter: 2n ** 32n - 5n })
      const bytes = new Uint8Array(4 * 50_001)
      const write = simdSampler(source, 'float32')
      expect(write, 'WebAssembly with SIMD').toBeDefined()
      write!(3, 50_001, bytes, 0)
      const { buffer, byteOffset, byteLength } = sampleRange(source, 3, 50_001)
      expect({ name, count: countDifferences(bytes, new Uint8Array(buffer, byteOffset, byteLength), 4).count }).toEqual(
        {
          name,
          count: 0,
        },
      )
    }
  })

  test('the design example: buffers, statistics, manifest', async () => {
    const weights = await initializeModel(
      mlp,
      'kaiming',
      { mode: 'fan_out', nonlinearity: 'relu' },
      { device: gpu.device, seed: 42 },
    )
    expect(weights.backend).toBe('webgpu')
    expect(weights.seed).toBe(42)
    expect([...weights.parameters.keys()]).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
    const { buffer, byteOffset, byteLength, shape, dtype, distribution } = weights.get('0.weight')
    expect(buffer.size).toBe(784 * 256 * 4)
    expect(buffer.label).toBe('0.weight')
    expect({ byteOffset, byteLength, shape, dtype }).toEqual({
      byteOffset: 0,
      byteLength: 802816,
      shape: [256, 784],
      dtype: 'float32',
    })
    expect(distribution).toEqual({ kind: 'normal', mean: 0, std: Math.sqrt(2) / 16 })
    const values = await weights.read('0.weight')
    expect(values).toHaveLength(200704)
    expect(await weights.read('0.bias')).toEqual(new Float32Array(256))
    const statistics = (await weights.statistics()).get('0.weight')!
    // Mean and std against the values themselves, in float64.
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
    expect(Math.abs(statistics.mean - mean)).toBeLessThan(1e-7)
    expect(Math.abs(statistics.std / std - 1)).toBeLessThan(1e-6)
    expect(statistics).toMatchObject({
      count: 200704,
      nonFiniteCount: 0,
      min: values.reduce((a, b) => Math.min(a, b)),
      max: values.reduce((a, b) => Math.max(a, b)),
      expected: { mean: 0, std: Math.sqrt(2) / 16 },
    })
    expect(await weights.verify()).toMatchObject({ ok: true, complete: true, mismatchCount: 0, comparedCount: 203530 })
    expect(JSON.parse(JSON.stringify(weights.manifest()))).toMatchObject({ seed: '42', valueContract: 1 })
    weights.destroy()
  })

  test.each(['separate', 'packed'] as const)('every layer kind, %s buffers, equals the CPU', async (buffers) => {
    const model = sequential(
      conv2d(3, 8, 3, { groups: 1, bias: false }),
      batchNorm(8, { buffers: true }),
      relu(),
      embedding(11, 5),
      layerNorm(5, { dtype: 'bfloat16' }),
      linear(7, 3, { dtype: 'float16' }),
      linear(1, 1, { dtype: 'bfloat16' }),
    )
    using weights = await initializeModel(model, 'xavier', {}, { device: gpu.device, seed: 7, buffers })
    using reference = await initializeModel(model, 'xavier', {}, { device: 'cpu', seed: 7 })
    for (const [name, parameter] of reference.parameters) {
      expect(await weights.readBytes(name)).toEqual(await reference.readBytes(name))
      expect(weights.get(name).byteLength).toBe(parameter.byteLength)
    }
    const distinct = new Set([...weights.parameters.values()].map(({ buffer }) => buffer))
    expect(distinct.size).toBe(buffers === 'packed' ? 1 : weights.parameters.size)
    const [onGpu, onCpu] = [await weights.statistics(), await reference.statistics()]
    for (const [name, expected] of onCpu) {
      const actual = onGpu.get(name)!
      expect(actual).toMatchObject({
        count: expected.count,
        min: expected.min,
        max: expected.max,
        zeroCount: expected.zeroCount,
      })
      expect(actual.mean).toBeCloseTo(expected.mean, 6)
      expect(actual.std).toBeCloseTo(expected.std, 6)
    }
  })

  test('tied parameters share the buffer', async () => {
    const model = defineModel({
      parameters: [
        { name: 'wte', shape: [10, 4], role: 'embedding' },
        { name: 'head', shape: [10, 4], tiedTo: 'wte' },
      ],
    })
    using weights = await initializeModel(model, normal, { device: gpu.device, seed: 1 })
    expect(weights.get('head').buffer).toBe(weights.get('wte').buffer)
    expect(await weights.read('head')).toEqual(await weights.read('wte'))
  })

  test("into: the caller's buffer at an offset, and nothing around it", async () => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const buffer = gpu.device.createBuffer({ size: 4096, usage })
    const before = new Uint8Array(4096).fill(0x5a)
    gpu.device.queue.writeBuffer(buffer, 0, before)
    const model = defineModel({
      parameters: [
        { name: 'a', shape: [9, 7] },
        { name: 'b', shape: [3, 5], dtype: 'float16' },
        { name: 'c', shape: [3], role: 'bias', dtype: 'float16' },
      ],
    })
    const into = { a: { buffer, byteOffset: 52 }, b: { buffer, byteOffset: 1000 }, c: { buffer, byteOffset: 1032 } }
    const weights = await initializeModel(model, uniform, { device: gpu.device, seed: 3, into })
    using reference = await initializeModel(model, uniform, { device: 'cpu', seed: 3 })
    for (const [name, { byteOffset }] of Object.entries(into)) before.set(await reference.readBytes(name), byteOffset)
    expect(countDifferences(await readBuffer(gpu.device, buffer), before, 1)).toEqual({ count: 0, first: -1 })
    expect((await weights.verify()).ok).toBe(true)
    weights.destroy()
    // The caller's buffer outlives the result.
    expect((await readBuffer(gpu.device, buffer)).length).toBe(4096)
    buffer.destroy()
  })

  test('a tensor of any rank through initializeTensor', async () => {
    using tensor = await initializeTensor(
      { shape: [5], name: 'v', dtype: 'bfloat16' },
      new NormalInitializer({ std: 3 }),
      { device: gpu.device, seed: 0 },
    )
    using other = await initializeTensor([64, 32], xavierUniform, { device: gpu.device, seed: 0 })
    expect((await tensor.verify()).ok && (await other.verify()).ok).toBe(true)
    expect(await other.read('tensor')).toHaveLength(2048)
  })

  test('verify finds a single changed bit and says where; statistics count what is not finite', async () => {
    using weights = await initializeModel(mlp, 'xavier', {}, { device: gpu.device, seed: 5 })
    const { buffer } = weights.get('0.weight')
    const [word = 0] = new Uint32Array((await weights.readBytes('0.weight', 4 * 12345, 4)).buffer)
    gpu.device.queue.writeBuffer(buffer, 4 * 12345, Uint32Array.of(word ^ 1))
    const report = await weights.verify()
    expect(report).toMatchObject({ ok: false, mismatchCount: 1 })
    expect(report.parameters[0]).toMatchObject({ name: '0.weight', mismatchCount: 1, firstMismatch: 12345 })
    gpu.device.queue.writeBuffer(buffer, 0, Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 0))
    const statistics = (await weights.statistics()).get('0.weight')!
    expect(statistics).toMatchObject({ nonFiniteCount: 2, count: 200702, zeroCount: 1 })
    expect(Number.isFinite(statistics.mean) && Number.isFinite(statistics.std)).toBe(true)
  })

  test('verify goes through chunks, two on their way at a time; whatever ends it leaves nothing', async () => {
    // Four chunks, the last of five elements, which are no whole word.
    const elementCount = 3 * 2 ** 18 + 5
    const parameters = [{ name: 'w', shape: [elementCount], role: 'weight' as const, dtype: 'bfloat16' as const }]
    using weights = await initializeModel({ parameters }, 'normal', {}, { device: gpu.device, seed: 5 })
    const before = gpu.liveBuffers()
    const done: number[] = []
    const report = await weights.verify({ onProgress: ({ elementsDone }) => done.push(elementsDone) })
    expect(report).toMatchObject({ ok: true, complete: true, comparedCount: elementCount })
    expect(done).toEqual([2 ** 18, 2 ** 19, 3 * 2 ** 18, elementCount])
    for (const first of [2 ** 18 - 1, 2 ** 18, 2 ** 19 + 3, elementCount - 1]) {
      const start = Math.floor(first / 2) * 4
      const word = new Uint8Array(4)
      word.set(await weights.readBytes('w', start, Math.min(4, 2 * elementCount - start)))
      const changed = word.slice()
      changed[2 * (first % 2)]! ^= 1
      gpu.device.queue.writeBuffer(weights.get('w').buffer, start, changed)
      const { parameters: found } = await weights.verify()
      expect(found[0]).toMatchObject({ mismatchCount: 1, firstMismatch: first, largestUlpDistance: 1 })
      gpu.device.queue.writeBuffer(weights.get('w').buffer, start, word)
    }
    const controller = new AbortController()
    const aborted = weights.verify({ signal: controller.signal, onProgress: () => controller.abort() })
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    const onProgress = () => {
      throw new Error('from the listener')
    }
    await expect(weights.verify({ onProgress })).rejects.toThrow('from the listener')
    expect(gpu.liveBuffers()).toBe(before)
    expect((await weights.verify()).ok).toBe(true)
  })

  test('verify on a sample says how much it compared', async () => {
    using weights = await initializeModel(mlp, 'xavier', {}, { device: gpu.device, seed: 5 })
    const report = await weights.verify({ elements: 1000 })
    expect(report.ok).toBe(true)
    expect(report.complete).toBe(false)
    expect(report.comparedCount).toBeGreaterThanOrEqual(1000)
    expect(report.comparedCount).toBeLessThan(2000)
  })

  test('the same bits whatever the order, the neighbours and the progress listener', async () => {
    using all = await initializeModel(mlp, 'xavier', {}, { device: gpu.device, seed: 9 })
    const seen: number[] = []
    using alone = await initializeModel(
      { parameters: [{ name: '2.weight', shape: [10, 256] }] },
      'xavier',
      {},
      {
        device: gpu.device,
        seed: 9n,
        onProgress: ({ bytesDone, bytesTotal }) => seen.push(bytesDone / bytesTotal),
      },
    )
    expect(await alone.read('2.weight')).toEqual(await all.read('2.weight'))
    expect(seen.at(-1)).toBe(1)
  })

  test('a parameter larger than the binding limit, through windows', async () => {
    // WebGPU's default limits: 128 MiB a binding, 256 MiB a buffer.
    const device = await requestDefaultLimitsDevice()
    const model = {
      parameters: [
        { name: 'big', shape: [4099, 8209] },
        { name: 'half', shape: [8209, 131], dtype: 'float16' as const },
      ],
    }
    for (const buffers of ['separate', 'packed'] as const) {
      const weights = await initializeModel(model, uniform, { device, seed: 1, buffers })
      expect(await weights.verify({ elements: 2 ** 22 })).toMatchObject({ ok: true })
      // Both sides of every window border, and the tail.
      for (const element of [2 ** 24, 2 ** 25, 2 ** 25 - 64, 4099 * 8209 - 3]) {
        const start = Math.floor(element / 4) * 16
        const bytes = await weights.readBytes('big', start, Math.min(256, 4099 * 8209 * 4 - start))
        expect(new Float32Array(bytes.buffer).every((x) => x !== 0)).toBe(true)
      }
      // The pass over 33 M elements is the same for both.
      if (buffers === 'packed') {
        const statistics = await weights.statistics()
        expect(statistics.get('big')).toMatchObject({ count: 4099 * 8209, nonFiniteCount: 0 })
        expect(Math.abs(statistics.get('half')!.mean - 0.5)).toBeLessThan(1e-3)
      }
      weights.destroy()
    }
    device.destroy()
  })
})
