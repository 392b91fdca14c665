// Small jobs that share dispatches: the same bits as with a dispatch each, and nothing written between them.
import { describe, expect, test } from 'vitest'
import { byteWidth, type DType, type FloatDType, floatDTypes } from '../../src/core/dtype.js'
import { fillBytes } from '../../src/cpu/fill.js'
import { constantPattern } from '../../src/distributions/constant.js'
import { fillSpecOf } from '../../src/distributions/registry.js'
import { deviceState } from '../../src/gpu/device/device-state.js'
import type { FillTarget } from '../../src/gpu/fill/target.js'
import { runJobs } from '../../src/gpu/run-jobs.js'
import { shaderModules } from '../../src/gpu/shaders/shader-modules.js'
import { initializeModel } from '../../src/index.js'
import type { FillJob } from '../../src/ir/job.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { parameterStream } from '../../src/random/keys.js'
import { countDifferences } from '../support/bits.js'
import { randomDistributions } from '../support/distributions.js'
import { adapterName, readBuffer, useDevice } from '../support/gpu.js'
import { watchDevice } from '../support/track.js'

const gpu = useDevice()

/** 600 jobs, five to each kind in turn: every distribution and dtype, odd counts, streams that begin inside a block, constants. */
function manyJobs(): FillJob[] {
  const distributions = Object.entries(randomDistributions)
  const dtypes: readonly FloatDType[] = floatDTypes
  const constants: readonly DType[] = ['float32', 'bfloat16', 'int64', 'bool']
  return Array.from({ length: 600 }, (_, index) => {
    const elementCount = index % 97 === 0 ? 32_768 : index % 3 === 0 ? 4 * (1 + (index % 50)) : 1 + ((index * 37) % 700)
    const name = `p${index}`
    if (index % 5 === 0) {
      const dtype = constants[index % constants.length]!
      const source = { kind: 'constant', pattern: constantPattern(1, dtype) } as const
      return { name, dtype, firstElement: 0, elementCount, source, patches: [] }
    }
    const [, distribution] = distributions[index % distributions.length]!
    const dtype = dtypes[index % dtypes.length]!
    const { source } = fillSpecOf(distribution, dtype, parameterStream(name, index))
    return { name, dtype, firstElement: index % 2 === 0 ? 0 : index, elementCount, source, patches: [] }
  })
}

describe(`jobs that share dispatches on ${adapterName}`, () => {
  test('make the CPU’s bits and leave every other byte', async () => {
    const jobs = manyJobs()
    let byteLength = 0
    const places = jobs.map(({ elementCount, dtype }, index) => {
      const byteOffset = byteLength
      // Words apart, not always multiples of 16 bytes.
      byteLength += 4 * Math.ceil((elementCount * byteWidth(dtype)) / 4) + 4 * (index % 3)
      return byteOffset
    })
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const buffer = gpu.device.createBuffer({ size: byteLength, usage })
    const expected = new Uint8Array(byteLength).fill(0xaa)
    gpu.device.queue.writeBuffer(buffer, 0, expected)
    const targets = jobs.map((job, index): FillTarget => ({ job, buffer, byteOffset: places[index]!, sharing: true }))
    await runJobs(gpu.state, targets)
    for (const [index, job] of jobs.entries()) expected.set(fillBytes(job, 0, job.elementCount), places[index])
    const actual = await readBuffer(gpu.device, buffer)
    buffer.destroy()
    expect(countDifferences(actual, expected, 1)).toMatchObject({ count: 0 })
  })

  const layers = Array.from({ length: 200 }, (_, i) => [
    { name: `layers.${i}.weight`, shape: [17, 3 + (i % 40)] },
    { name: `layers.${i}.bias`, shape: [17] },
    { name: `norms.${i}.weight`, shape: [17] },
  ]).flat()
  const model = { parameters: [...layers, { name: 'head.weight', shape: [512, 130] }] }

  test('come from packed models, and from one buffer that the caller gives', async () => {
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    const config = { std: 0.02 }
    const packed = await initializeModel(model, 'normal', config, { device, seed: 3, buffers: 'packed' })
    expect((await packed.verify()).ok).toBe(true)
    const into = Object.fromEntries(
      [...packed.parameters.values()].map(({ name, buffer, byteOffset }) => [
        name,
        { buffer: buffer as GPUBuffer, byteOffset },
      ]),
    )
    watch.dispatches = 0
    const given = await initializeModel(model, 'normal', config, { device, seed: 4, into })
    // 200 weights: 160 and 40, of counts that are multiples of four and not; 400 constants: 160, 160 and 80; the head alone.
    expect(watch.dispatches).toBeLessThanOrEqual(8)
    expect((await given.verify()).ok).toBe(true)
    watch.dispatches = 0
    const separate = await initializeModel(model, 'normal', config, { device, seed: 4 })
    expect(watch.dispatches).toBeGreaterThanOrEqual(601)
    for (const name of ['layers.0.weight', 'layers.199.weight', 'norms.7.weight', 'head.weight']) {
      expect(await given.read(name)).toEqual(await separate.read(name))
    }
    for (const one of [separate, given, packed]) one.destroy()
    expect(watch.live.size).toBe(0)
    device.destroy()
  })

  test('a device that mixes them up is found out before anything is filled', async () => {
    const device = await requestNodeDevice()
    const state = deviceState(device)
    const text = shaderModules['core/jobs']!
    const faulty = text.replace('job = jobs[row];', 'job = jobs[row];\n  job.key.x += row;')
    expect(faulty).not.toBe(text)
    state.modules = { ...state.modules, 'core/jobs': faulty }
    const packed = initializeModel(model, 'normal', { std: 1 }, { device, seed: 1, buffers: 'packed' })
    await expect(packed).rejects.toMatchObject({ code: 'DEVICE_MISCOMPUTES' })
    // Without them the device is as good as any.
    ;(await initializeModel(model, 'normal', { std: 1 }, { device, seed: 1 })).destroy()
    device.destroy()
  })
})
