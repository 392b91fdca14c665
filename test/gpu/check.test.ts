// Tests of weights against their distributions where they are: the same verdicts as on the CPU.

import { describe, expect, test } from 'vitest'
import { floatDTypes } from '../../src/core/dtype.js'
import { checkTensors, initializeModel, type Model } from '../../src/index.js'
import { brokenWeights } from '../support/broken-weights.js'
import { adapterName, useDevice } from '../support/gpu.js'
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
})
