// slice and shard where they meet every distribution, padding rows, diagonals and other libraries' generators.
import { describe, expect, test } from 'vitest'
import { byteWidth, floatDTypes } from '../../src/core/dtype.js'
import {
  createInitializer,
  defineModel,
  defineSampler,
  type InitializeOptions,
  type Initializer,
  initializeModel,
  rematerialize,
} from '../../src/index.js'
import { countDifferences } from '../support/bits.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { cutBytes } from '../support/parts.js'
import { seededWords } from '../support/seeded.js'

const gpu = useDevice()

const ramp = defineSampler({
  name: 'ramp',
  wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return f32(word >> 8u) * params.scale; }',
  parameters: { scale: 'f32' },
  sample: (word, { scale = 0 }) => Math.fround((word >>> 8) * scale),
  moments: () => ({ mean: 2 ** -1, std: 12 ** -0.5 }),
})

const cases: [string, Initializer, number[], object][] = [
  ['truncated_normal', createInitializer('truncated_normal', {}), [9, 14], {}],
  ['sparse', createInitializer('sparse', { sparsity: 0.4 }), [23, 17], {}],
  ['custom', ramp({ scale: 2 ** -24 }), [9, 5, 7], {}],
  ['identity', createInitializer('eye', {}), [19, 23], {}],
  ['dirac', createInitializer('dirac', {}), [12, 9, 3, 3], {}],
  ['dirac in groups', createInitializer('dirac', { groups: 3 }), [12, 4, 3], {}],
  ['padding row', createInitializer('normal', {}), [13, 9], { role: 'embedding', paddingIndex: 4 }],
  ['padding row, uniform', createInitializer('uniform', {}), [13, 9], { role: 'embedding', paddingIndex: 12 }],
]

describe(`parts of every distribution on ${adapterName}`, () => {
  test.each(cases)('%s: seeded slices equal the part of the whole', async (name, initializer, shape, spec) => {
    const word = seededWords(5)
    const pick = (below: number): number => word() % below
    for (let round = 0; round < 12; round++) {
      const start = shape.map((length) => pick(length))
      const end = shape.map((length, axis) => start[axis]! + 1 + pick(length - start[axis]!))
      const dtype = floatDTypes[round % floatDTypes.length]!
      const model = defineModel({ parameters: [{ name: 'w', shape, role: 'weight', dtype, ...spec } as never] })
      using whole = await initializeModel(model, initializer, { device: 'cpu', seed: round })
      const expected = cutBytes(await whole.readBytes('w'), shape, start, end, byteWidth(dtype))
      for (const device of [gpu.device, 'cpu'] as const) {
        using part = await initializeModel(model, initializer, { device, seed: round, slice: { w: { start, end } } })
        const where = { name, start, end, dtype, device: device === 'cpu' ? 'cpu' : 'gpu' }
        const same = countDifferences(await part.readBytes('w'), expected, 1)
        expect({ ...where, ...same }).toEqual({ ...where, count: 0, first: -1 })
        expect((await part.verify()).ok).toBe(true)
        if (name === 'custom') continue
        using again = await rematerialize(JSON.stringify(part.manifest()), 'cpu')
        expect(countDifferences(await again.readBytes('w'), expected, 1).count).toBe(0)
      }
    }
  })

  test('a large identity in column shards: few dispatches, equal to the CPU', async () => {
    const model = defineModel({ parameters: [{ name: 'w', shape: [3000, 3000], role: 'weight' }] })
    for (const index of [0, 2]) {
      using part = await initializeModel(model, createInitializer('eye', {}), {
        device: gpu.device,
        seed: 1,
        shard: { axis: 1, index, count: 7 },
      })
      expect(await part.verify()).toMatchObject({ ok: true, complete: true })
      const values = await part.read('w')
      expect(values.reduce((a, b) => a + b)).toBe(part.get('w').shape[1])
    }
  })

  const generators = ['torch-cpu', 'torch-cuda', 'torch-stateless', 'jax', 'jax-legacy'] as const
  test.each(generators)('%s: rows are bit-equal, columns are refused', async (generator) => {
    const shape = [37, 29]
    for (const initializer of ['normal', 'uniform']) {
      const model = defineModel({
        parameters: [
          { name: 'w', shape, role: 'weight' },
          { name: 'v', shape: [5, 7], role: 'weight', dtype: 'bfloat16' },
        ],
      })
      const options: InitializeOptions = { seed: 11, generator }
      using whole = await initializeModel(model, initializer as never, {}, { ...options, device: 'cpu' })
      for (const [start, end] of [
        [3, 20],
        [30, 37],
        [36, 37],
        [0, 1],
      ] as const) {
        const slice = { w: { start: [start], end: [end] }, v: { start: [2], end: [5] } }
        for (const device of [gpu.device, 'cpu'] as const) {
          using part = await initializeModel(model, initializer as never, {}, { ...options, device, slice })
          const expected = cutBytes(await whole.readBytes('w'), shape, [start, 0], [end, 29], 4)
          const found = countDifferences(await part.readBytes('w'), expected, 4)
          expect({ start, initializer, device: device === 'cpu', ...found }).toMatchObject({ count: 0 })
          const small = cutBytes(await whole.readBytes('v'), [5, 7], [2, 0], [5, 7], 2)
          expect(countDifferences(await part.readBytes('v'), small, 2).count).toBe(0)
          using again = await rematerialize(JSON.stringify(part.manifest()), device)
          expect(countDifferences(await again.readBytes('w'), expected, 4).count).toBe(0)
        }
      }
      await expect(
        initializeModel(model, initializer as never, {}, { ...options, device: 'cpu', slice: { w: { end: [37, 5] } } }),
      ).rejects.toMatchObject({ code: 'UNSUPPORTED_GENERATOR', message: expect.stringContaining('"w"') })
    }
  })
})
