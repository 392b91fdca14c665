// slice and shard: bit-equal to the corresponding part of the whole, on the device and on the CPU.
import { describe, expect, test } from 'vitest'
import { byteWidth, type FloatDType, floatDTypes } from '../../src/core/dtype.js'
import { fillBytes } from '../../src/cpu/fill.js'
import { fillSpecOf } from '../../src/distributions/registry.js'
import { runJobs } from '../../src/gpu/run-jobs.js'
import { type InitializeOptions, initializeModel, normal, rematerialize, uniform } from '../../src/index.js'
import type { FillJob } from '../../src/ir/job.js'
import type { PartGeometry } from '../../src/ir/part.js'
import { elementIndex } from '../../src/plan/parts/geometry.js'
import { parameterStream } from '../../src/random/keys.js'
import { countDifferences } from '../support/bits.js'
import { randomDistributions } from '../support/distributions.js'
import { adapterName, readBuffer, useDevice } from '../support/gpu.js'
import { cutBytes } from '../support/parts.js'
import { seededWords } from '../support/seeded.js'

const gpu = useDevice()

describe(`parts on ${adapterName}`, () => {
  test('120 seeded slices of rank 1 to 5, every dtype, equal the part of the whole', async () => {
    const word = seededWords(11)
    const pick = (below: number): number => word() % below
    for (let round = 0; round < 120; round++) {
      const shape = Array.from({ length: 1 + pick(5) }, () => 1 + pick(9))
      const start = shape.map((length) => pick(length))
      const end = shape.map((length, axis) => start[axis]! + 1 + pick(length - start[axis]!))
      const dtype = floatDTypes[round % floatDTypes.length]!
      const model = { parameters: [{ name: 'w', shape, role: 'weight' as const, dtype }] }
      const initializer = round % 2 ? normal : uniform
      using whole = await initializeModel(model, initializer, { device: 'cpu', seed: round })
      const expected = cutBytes(await whole.readBytes('w'), shape, start, end, byteWidth(dtype))
      const slice = { w: { start, end } }
      for (const device of [gpu.device, 'cpu'] as const) {
        using part = await initializeModel(model, initializer, { device, seed: round, slice })
        const bytes = await part.readBytes('w')
        const where = { shape, start, end, dtype, device: device === 'cpu' ? 'cpu' : 'gpu' }
        expect({ ...where, ...countDifferences(bytes, expected, 1) }).toEqual({ ...where, count: 0, first: -1 })
        expect(part.get('w').shape).toEqual(end.map((stop, axis) => stop - start[axis]!))
      }
    }
  })

  test('slices that begin beyond 2^33, along both axes, equal the CPU', async () => {
    // 2^40 elements: the whole is never made.
    const model = { parameters: [{ name: 'w', shape: [2 ** 20, 2 ** 20] }] }
    for (const slice of [
      { w: { start: [2 ** 13 + 1, 77], end: [2 ** 13 + 300, 1101] } },
      { w: { start: [2 ** 13, 0], end: [2 ** 13 + 1] } },
      { w: { start: [2 ** 20 - 100, 2 ** 20 - 3] } },
    ]) {
      for (const dtype of ['float32', 'float16', 'float8_e4m3fn'] as const) {
        using part = await initializeModel(model, normal, { device: gpu.device, seed: 3, slice, dtype })
        expect(part.plan.parameters[0]!.part?.fullShape).toEqual([2 ** 20, 2 ** 20])
        expect(await part.verify()).toMatchObject({ ok: true, complete: true })
        using reference = await initializeModel(model, normal, { device: 'cpu', seed: 3, slice, dtype })
        const [a, b] = [await part.readBytes('w'), await reference.readBytes('w')]
        expect(countDifferences(a, b, 1).count).toBe(0)
      }
    }
  })

  const geometries: [string, PartGeometry, number][] = [
    [
      'runs of one',
      {
        firstElement: 5,
        axes: [
          { length: 1, stride: 1 },
          { length: 9999, stride: 2 ** 33 + 7 },
        ],
      },
      3,
    ],
    [
      'three levels with carries',
      {
        firstElement: 2 ** 35,
        axes: [
          { length: 3, stride: 1 },
          { length: 5, stride: 8 },
          { length: 7, stride: 2 ** 32 + 1 },
          { length: 99, stride: 2 ** 40 },
        ],
      },
      1,
    ],
    [
      'runs longer than 2^32, across the end of one',
      {
        firstElement: 2 ** 34 + 3,
        axes: [
          { length: 2 ** 33 + 5, stride: 1 },
          { length: 9, stride: 2 ** 34 },
        ],
      },
      2 ** 33 - 1000,
    ],
    [
      'a middle axis longer than 2^32, across its end',
      {
        firstElement: 1,
        axes: [
          { length: 6, stride: 1 },
          { length: 2 ** 33 + 1, stride: 11 },
          { length: 50, stride: 2 ** 48 },
        ],
      },
      6 * 2 ** 33 - 600,
    ],
    [
      'runs of exactly 2^31',
      {
        firstElement: 0,
        axes: [
          { length: 2 ** 31, stride: 1 },
          { length: 9, stride: 2 ** 32 },
        ],
      },
      2 ** 31 - 500,
    ],
    ['eight axes', { firstElement: 1, axes: Array.from({ length: 8 }, (_, i) => ({ length: 2, stride: 3 ** i })) }, 0],
  ]

  test.each(geometries)('64-bit part indices: %s', async (_, part, firstElement) => {
    for (const [name, dtype] of [
      ['shifted normal', 'float32'],
      ['unit uniform', 'float16'],
    ] as [string, FloatDType][]) {
      const elementCount = part.axes.length === 8 ? 256 : 1999
      const { source } = fillSpecOf(randomDistributions[name]!, dtype, parameterStream('w', 9))
      const job: FillJob = { name: 'w', dtype, firstElement, elementCount, part, source, patches: [] }
      const size = Math.ceil((elementCount * byteWidth(dtype)) / 4) * 4
      const buffer = gpu.device.createBuffer({ size, usage: 0x80 | 0x4 | 0x8 })
      await runJobs(gpu.state, [{ job, buffer, byteOffset: 0 }])
      const bytes = (await readBuffer(gpu.device, buffer)).subarray(0, elementCount * byteWidth(dtype))
      buffer.destroy()
      expect(countDifferences(bytes, fillBytes(job, 0, elementCount), byteWidth(dtype))).toEqual({
        count: 0,
        first: -1,
      })
      // The CPU reference against the definition, element by element.
      for (const local of [0, 1, 2, 499, elementCount - 1].filter((i) => i < elementCount)) {
        const alone: FillJob = {
          name: 'w',
          dtype,
          firstElement: elementIndex(part, firstElement + local),
          elementCount: 1,
          source,
          patches: [],
        }
        expect(bytes.slice(local * byteWidth(dtype), (local + 1) * byteWidth(dtype))).toEqual(fillBytes(alone, 0, 1))
      }
    }
  })

  test.each([0, 1, -1])('shards along axis %i, joined, are the whole', async (axis) => {
    const model = {
      parameters: [
        { name: 'embedding', shape: [11, 6], role: 'embedding' as const },
        { name: 'weight', shape: [7, 10, 3], dtype: 'bfloat16' as const },
        { name: 'bias', shape: [5] },
        { name: 'head', shape: [11, 6], tiedTo: 'embedding' },
      ],
    }
    const options: InitializeOptions = { device: gpu.device, seed: 8 }
    using whole = await initializeModel(model, normal, options)
    const count = 4
    const shards = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        initializeModel(model, normal, { ...options, shard: { axis, index, count } }),
      ),
    )
    for (const [name, { shape, dtype }] of whole.parameters) {
      const full = await whole.readBytes(name)
      for (const shard of shards) {
        const held = shard.parameters.get(name)
        if (held === undefined) continue
        const { start, end } = held.part ?? { start: shape.map(() => 0), end: shape }
        expect(await shard.readBytes(name)).toEqual(cutBytes(full, [...shape], [...start], [...end], byteWidth(dtype)))
      }
      const elements = shards.reduce((sum, shard) => sum + (shard.parameters.get(name)?.elementCount ?? 0), 0)
      const replicated = axis >= shape.length
      expect(elements).toBe(replicated ? count * whole.get(name).elementCount : whole.get(name).elementCount)
    }
    for (const shard of shards) {
      expect((await shard.verify()).ok).toBe(true)
      expect((await shard.statistics()).size).toBeGreaterThan(0)
      using again = await rematerialize(JSON.stringify(shard.manifest()), gpu.device)
      for (const name of shard.parameters.keys())
        expect(await again.readBytes(name)).toEqual(await shard.readBytes(name))
      shard.destroy()
    }
  })
})
