// Tests of weights against their distributions where they are: the same verdicts as on the CPU.

import { describe, expect, test } from 'vitest'
import { byteWidth, floatDTypes } from '../../src/core/dtype.js'
import { checkTensors, initializeModel, type Model, WeightInitError } from '../../src/index.js'
import { brokenWeights } from '../support/broken-weights.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { randomModel } from '../support/random-models.js'
import { expectRefusal } from '../support/refusal.js'

const gpu = useDevice()

function upload(values: Float32Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const buffer = gpu.device.createBuffer({ size: values.byteLength + 256, usage })
  gpu.device.queue.writeBuffer(buffer, 256, values as Float32Array<ArrayBuffer>)
  return buffer
}

describe(`check on ${adapterName}`, () => {
  test.each(brokenWeights().map((b) => [b.name, b] as const))('finds %s', async (_, { tensors, found, names }) => {
    const placed = tensors.map(({ values, ...tensor }) => ({ ...tensor, buffer: upload(values), byteOffset: 256 }))
    const report = await checkTensors(gpu.device, placed)
    const failure = report.failures.find((f) => f.test === found)
    expect(failure, JSON.stringify(report.failures)).toBeDefined()
    expect([...failure!.parameters].sort()).toEqual(names)
    for (const { parameters } of report.failures) for (const name of parameters) expect(names).toContain(name)
    const onCpu = await checkTensors(
      'cpu',
      tensors.map(({ values, ...tensor }) => ({ ...tensor, buffer: values })),
    )
    expect(report.failures.map((f) => f.test)).toEqual(onCpu.failures.map((f) => f.test))
    for (const { buffer } of placed) buffer.destroy()
  })

  test('passes valid weights of every family and dtype, and leaves nothing behind', async () => {
    const before = gpu.liveBuffers()
    const shapes: [number, number][] = [
      [1, 1],
      [17, 31],
      [260, 190],
    ]
    const model: Model = {
      parameters: floatDTypes.flatMap((dtype) =>
        shapes.map((shape) => ({ name: `${dtype} ${shape}`, shape, dtype, role: 'weight' as const })),
      ),
    }
    for (const name of ['normal', 'uniform', 'lecun_normal', 'sparse', 'orthogonal', 'eye']) {
      const config = name === 'sparse' ? { sparsity: 0.3 } : {}
      const weights = await initializeModel(model, name as never, config as never, { device: gpu.device, seed: 11 })
      const report = await weights.check()
      expect(report.failures, name).toEqual([])
      expect(report.parameters).toHaveLength(shapes.length * floatDTypes.length)
      expect(report.testCount).toBeGreaterThan(9)
      weights.destroy()
    }
    expect(gpu.liveBuffers()).toBe(before)
  })

  test('float8, where a frequent number makes more anchors than there is room for: no false alarm', async () => {
    const parameters = (['float8_e4m3fn', 'float8_e5m2'] as const).map((dtype) => ({
      ...{ name: dtype, shape: [1000, 1001], dtype, role: 'weight' as const },
    }))
    for (const std of [0.02, 0.3, 1]) {
      const weights = await initializeModel({ parameters }, 'normal', { std }, { device: gpu.device, seed: 3 })
      expect((await weights.check()).failures, String(std)).toEqual([])
      weights.destroy()
    }
  })

  test('refuses buffers that cannot be read, before any work', async () => {
    const tensor = { name: 'w', shape: [4, 4], distribution: { kind: 'normal', mean: 0, std: 1 } } as const
    const small = gpu.device.createBuffer({ size: 32, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })
    const check = (buffer: unknown) => checkTensors(gpu.device, [{ ...tensor, buffer: buffer as GPUBuffer }])
    await expectRefusal(() => check(small), 'INVALID_BUFFER', 'tensor["w"]', '64', '32')
    await expectRefusal(() => check(new Float32Array(16)), 'INVALID_BUFFER', 'tensor["w"]', 'GPUBuffer')
    const deaf = gpu.device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_SRC })
    await expectRefusal(() => check(deaf), 'INVALID_BUFFER', 'STORAGE')
    const gone = gpu.device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })
    gone.destroy()
    await expectRefusal(() => check(gone), 'INVALID_BUFFER', 'tensor["w"]')
    small.destroy()
    deaf.destroy()
  })

  test.each([...floatDTypes])(
    'passes xavier in %s at 512 x 512, for eight seeds, and still finds a copied block',
    async (dtype) => {
      const model: Model = { parameters: [{ name: 'w', shape: [512, 512], dtype, role: 'weight' }] }
      for (let seed = 0; seed < 8; seed++) {
        using weights = await initializeModel(model, 'xavier', {}, { device: gpu.device, seed })
        expect((await weights.check()).failures, `seed ${seed}`).toEqual([])
        // Numbers of eight bits are too few for copies to be told from chance.
        if (seed > 0 || byteWidth(dtype) === 1) continue
        const { buffer, byteOffset } = weights.get('w')
        const encoder = gpu.device.createCommandEncoder()
        const block = gpu.device.createBuffer({ size: 4096, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST })
        encoder.copyBufferToBuffer(buffer, byteOffset + 1000, block, 0, 4096)
        encoder.copyBufferToBuffer(block, 0, buffer, byteOffset + 100_004, 4096)
        gpu.device.queue.submit([encoder.finish()])
        block.destroy()
        expect((await weights.check()).failures.map(({ test }) => test)).toEqual(['copies'])
      }
    },
  )

  test('96 random models of every distribution, generator and dtype: what the CPU says', async () => {
    let models = 0
    for (let seed = 1000; seed < 1096; seed++) {
      const { model, initializer, config, options } = randomModel(seed)
      const made = await initializeModel(model, initializer as never, config, { ...options, device: 'cpu' }).catch(
        (error) => {
          if (error instanceof WeightInitError) return undefined
          throw error
        },
      )
      if (made === undefined) continue
      models++
      // The same bits on both, of orthogonal matrices too: what is measured is compared, not what is made.
      const report = await made.check()
      const placed = made.plan.parameters.map(({ name, shape, dtype, distribution }) => ({
        name,
        shape,
        dtype,
        distribution,
        buffer: uploadBytes(new Uint8Array(made.get(name).buffer as unknown as ArrayBuffer)),
      }))
      using weights = await initializeModel(model, initializer as never, config, { ...options, device: gpu.device })
      for (const found of [await weights.check(), await checkTensors(gpu.device, placed)]) {
        // A far tail of another library's is tested for its bounds only where the generator is known.
        if (found.testCount !== report.testCount && options.generator?.toString().startsWith('jax')) continue
        expect(found.failures, `seed ${seed}`).toEqual(report.failures)
        const tests = (r: typeof report): [string, boolean][] =>
          [...r.parameters.flatMap((p) => p.tests), ...r.model].map(({ test, ok }) => [test, ok])
        expect(tests(found), `seed ${seed}`).toEqual(tests(report))
      }
      for (const { buffer } of placed) buffer.destroy()
    }
    expect(models).toBeGreaterThan(92)
  })
})

function uploadBytes(bytes: Uint8Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4)
  padded.set(bytes)
  const buffer = gpu.device.createBuffer({ size: padded.byteLength, usage })
  gpu.device.queue.writeBuffer(buffer, 0, padded)
  return buffer
}
