// Parts of orthogonal matrices: made as a whole, bit-equal to that part of the whole on the same device; in several
// buffers, too.
import { describe, expect, test } from 'vitest'
import { byteWidth, type FloatDType, floatDTypes } from '../../src/core/dtype.js'
import { groupSize } from '../../src/gpu/orthogonal/layout.js'
import { orthogonalScratchBytes } from '../../src/gpu/orthogonal/orthogonalize.js'
import {
  type GeneratorName,
  type InitializeOptions,
  initializeModel,
  lstm,
  type Model,
  type ParameterSpec,
  planModel,
  rematerialize,
} from '../../src/index.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { countDifferences } from '../support/bits.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { cutBytes } from '../support/parts.js'
import { seededWords } from '../support/seeded.js'
import { fixSpeed, watchDevice } from '../support/track.js'

const gpu = useDevice()

const cases: [string, 'orthogonal' | 'delta_orthogonal', Omit<ParameterSpec, 'name' | 'role'>, GeneratorName?][] = [
  ['tall', 'orthogonal', { shape: [37, 20] }],
  ['wide', 'orthogonal', { shape: [20, 37] }],
  ['rank 4', 'orthogonal', { shape: [9, 4, 3, 3] }],
  ['in-out', 'orthogonal', { shape: [3, 5, 7], layout: 'in-out' }],
  ['a matrix per expert, of an odd number of elements', 'orthogonal', { shape: [7, 5, 9], batchAxes: 1 }],
  ['a matrix per gate', 'orthogonal', { shape: [12, 11], blocks: 4 }],
  ['delta, kernel last', 'delta_orthogonal', { shape: [8, 5, 3, 3] }],
  ['wide matrices, drawn transposed by JAX', 'orthogonal', { shape: [3, 8, 21], batchAxes: 1 }, 'jax'],
  ['matrices that PyTorch draws', 'orthogonal', { shape: [3, 8, 21], batchAxes: 1 }, 'torch-cpu'],
  ['delta, kernel first', 'delta_orthogonal', { shape: [3, 5, 4, 7], layout: 'in-out' }],
]

describe(`parts of orthogonal matrices on ${adapterName}`, () => {
  test.each(cases)('%s: seeded slices equal the part of the whole, on the device and on the CPU', async (...args) => {
    const [, initializer, spec, generator = 'philox'] = args
    const { shape } = spec
    const word = seededWords(7)
    const pick = (below: number): number => word() % below
    for (const [round, dtype] of floatDTypes.entries()) {
      const model = { parameters: [{ name: 'w', role: 'weight', dtype, ...spec }] } as Model
      for (const device of [gpu.device, 'cpu'] as const) {
        const options: InitializeOptions = { device, seed: round, generator }
        using whole = await initializeModel(model, initializer, { gain: 1.25 }, options)
        const bytes = await whole.readBytes('w')
        for (let i = 0; i < 4; i++) {
          const start = shape.map((length) => pick(length))
          const end = shape.map((length, axis) => start[axis]! + 1 + pick(length - start[axis]!))
          const slice = { w: { start, end } }
          using part = await initializeModel(model, initializer, { gain: 1.25 }, { ...options, slice })
          const expected = cutBytes(bytes, shape, start, end, byteWidth(dtype))
          const where = { start, end, dtype, device: device === 'cpu' ? 'cpu' : 'gpu' }
          const found = countDifferences(await part.readBytes('w'), expected, byteWidth(dtype))
          expect({ ...where, ...found }).toEqual({ ...where, count: 0, first: -1 })
          const report = await part.verify()
          expect({ ...where, ...report }).toMatchObject({ ...where, ok: true, complete: true, mismatchCount: 0 })
          expect(report.withinBound).toMatchObject({ beyondCount: 0, secondRunCount: 0 })
          expect(report.comparedCount + report.withinBound!.count).toBe(report.elementCount)
          using again = await rematerialize(JSON.stringify(part.manifest()), device)
          expect(countDifferences(await again.readBytes('w'), expected, byteWidth(dtype)).count).toBe(0)
        }
      }
    }
  })

  test.each([0, 1])('shards along axis %i, joined, are the whole; a changed element is found', async (axis) => {
    const rules = [
      { match: '*_hh_*', initializer: 'orthogonal' },
      { match: '*', initializer: 'xavier' },
    ]
    const model = lstm(6, 9, { bias: false })
    using whole = await initializeModel(model, rules as never, { device: gpu.device, seed: 3 })
    const full = await whole.readBytes('weight_hh_l0')
    const live = gpu.liveBuffers()
    let elements = 0
    for (let index = 0; index < 4; index++) {
      const shard = { axis, index, count: 4 }
      const part = await initializeModel(model, rules as never, { device: gpu.device, seed: 3, shard })
      const held = part.get('weight_hh_l0')
      const { start, end } = held.part!
      expect(await part.readBytes('weight_hh_l0')).toEqual(cutBytes(full, [36, 9], start, end, 4))
      elements += held.elementCount
      expect((await part.verify()).ok).toBe(true)
      const at = held.elementCount - 1
      const value = (await part.read('weight_hh_l0'))[at]!
      gpu.device.queue.writeBuffer(held.buffer, 4 * at, Float32Array.of(value + 1e-4))
      expect((await part.verify()).parameters.find(({ name }) => name === 'weight_hh_l0')).toMatchObject({
        ok: false,
        withinBound: { beyondCount: 1, firstBeyond: at },
      })
      part.destroy()
    }
    expect(elements).toBe(36 * 9)
    expect(gpu.liveBuffers()).toBe(live)
  })

  test('a whole and a part, in the caller’s segments: the same bits, nothing beside them, verified', async () => {
    const shape = [10, 7, 9]
    for (const dtype of ['float32', 'bfloat16', 'float8_e4m3fn'] as FloatDType[]) {
      const width = byteWidth(dtype)
      const model = { parameters: [{ name: 'w', role: 'weight', dtype, shape, batchAxes: 1 }] } as Model
      using whole = await initializeModel(model, 'orthogonal', {}, { device: gpu.device, seed: 1 })
      const bytes = await whole.readBytes('w')
      for (const slice of [undefined, { w: { start: [1, 0, 3], end: [9, 7, 8] } }]) {
        const expected = slice === undefined ? bytes : cutBytes(bytes, shape, slice.w.start, slice.w.end, width)
        const buffers = [0, 1, 2].map(() => gpu.device.createBuffer({ size: 4096, usage: 0x80 | 0x4 | 0x8 }))
        for (const buffer of buffers) gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(4096).fill(0x5a))
        const middle = 100 * width
        const lengths = [52, middle, expected.length - 52 - middle]
        const segments = buffers.map((buffer, i) => ({ buffer, byteOffset: 4 + 256 * i, byteLength: lengths[i]! }))
        const options = { device: gpu.device, seed: 1, into: { w: { segments } }, ...(slice ? { slice } : {}) }
        using held = await initializeModel(model, 'orthogonal', {}, options)
        expect(countDifferences(await held.readBytes('w'), expected, width)).toEqual({ count: 0, first: -1 })
        expect(await held.verify()).toMatchObject({ ok: true, mismatchCount: 0 })
        gpu.device.queue.writeBuffer(buffers[2]!, 4 + 512, new Uint8Array([0x71, 0x72, 0x73, 0x74]))
        const { parameters } = await held.verify()
        expect(parameters[0]!.ok).toBe(false)
        expect(parameters[0]!.withinBound).toMatchObject({ beyondCount: 4 / width, firstBeyond: (52 + middle) / width })
        for (const buffer of buffers) buffer.destroy()
      }
    }
  })

  test('the plan says what is made for a part; the scratch memory is a group of matrices and what their QR needs', async () => {
    const model = { parameters: [{ name: 'w', shape: [24, 48, 40], batchAxes: 1 }] } as Model
    const slice = { w: { start: [5, 0, 3], end: [9, 48, 4] } }
    const plan = planModel(model, 'orthogonal', {}, { seed: 1, slice })
    expect(plan.parameters[0]!.whole).toEqual({
      firstMatrix: 5,
      matrixCount: 4,
      rows: 48,
      columns: 40,
      byteLength: 4 * 48 * 40,
    })
    expect(JSON.parse(JSON.stringify(plan)).parameters[0].description).toBe(
      'orthogonal(1 x 24), part of 4 whole 48 x 40 matrices',
    )
    expect(planModel(model, 'orthogonal', {}, { seed: 1 }).parameters[0]!.whole).toBeUndefined()
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    ;(await initializeModel(model, 'orthogonal', {}, { device, seed: 1, slice })).destroy()
    expect(watch.live.size).toBe(0)
    watch.peakBytes = 0
    const weights = await initializeModel(model, 'orthogonal', {}, { device, seed: 1, slice })
    const shape = { batch: 24, rows: 48, cols: 40 }
    const group = groupSize({ device } as never, shape, 4)
    const scratch = 4 * group * 48 * 40 + orthogonalScratchBytes({ device } as never, shape)
    expect(watch.peakBytes).toBeGreaterThan(scratch)
    expect(watch.peakBytes).toBeLessThan(weights.plan.totals.byteLength + 1.02 * scratch + 2 ** 18)
    weights.destroy()
    // The whole in float32 is made where it is: no copy of it.
    expect(watch.live.size).toBe(0)
    watch.peakBytes = 0
    const whole = await initializeModel(model, 'orthogonal', {}, { device, seed: 1 })
    const limit = whole.plan.totals.byteLength + 1.02 * orthogonalScratchBytes({ device } as never, shape) + 2 ** 18
    expect(watch.peakBytes).toBeLessThan(limit)
    whole.destroy()
    expect(watch.live.size).toBe(0)
    expect(watch.unlabelled).toEqual([])
    device.destroy()
  })

  test('a matrix that the device cannot factorise is refused by name before anything is allocated', async () => {
    const device = await requestNodeDevice()
    const limits = { ...limitsOf(device), maxStorageBufferBindingSize: 2 ** 20 }
    Object.defineProperty(device, 'limits', { value: limits })
    const watch = watchDevice(device)
    const model = { parameters: [{ name: 'big', shape: [1024, 1024] }] }
    for (const slice of [{}, { big: { end: [4, 4] } }]) {
      await expect(initializeModel(model, 'orthogonal', {}, { device, seed: 1, slice })).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        message: expect.stringMatching(/Parameter "big": .*1024 x 1024.*binds 1048320/),
      })
    }
    expect(watch.labelled).toBe(0)
    device.destroy()
  })

  test('an abort while matrices are made is heard within one submit and frees everything', async () => {
    const device = await requestNodeDevice()
    fixSpeed(device)
    const watch = watchDevice(device)
    const model = { parameters: [{ name: 'w', shape: [3, 96, 96], batchAxes: 1 }] } as Model
    const options = { device, seed: 1, shard: { axis: 2, index: 0, count: 2 } }
    ;(await initializeModel(model, 'orthogonal', {}, options)).destroy()
    watch.submits = 0
    ;(await initializeModel(model, 'orthogonal', {}, options)).destroy()
    const all = watch.submits
    for (const at of [1, 2, 3, Math.floor(all / 2), all - 2, all - 1, all]) {
      const abort = new AbortController()
      watch.submits = 0
      watch.onSubmit = () => watch.submits === at && abort.abort()
      const call = initializeModel(model, 'orthogonal', {}, { ...options, signal: abort.signal })
      await expect(call).rejects.toMatchObject({ name: 'AbortError' })
      watch.onSubmit = () => {}
      // The matrices' own check, a copy of a few words, may still go out.
      expect(watch.submits).toBeLessThanOrEqual(at + 1)
      expect(watch.live.size).toBe(0)
    }
    device.destroy()
  })
})

/** Limits are getters: a plain copy, so that a test can lower one. */
function limitsOf({ limits }: GPUDevice): GPUSupportedLimits {
  const all: Record<string, unknown> = {}
  for (const key in limits) all[key] = limits[key as keyof GPUSupportedLimits]
  return all as never
}
