// slice and shard: what a part is, how axes are cut and merged, and every mistake in the options.
import { describe, expect, test } from 'vitest'
import { fillJob } from '../../../../src/fill/make-job.js'
import { segmentSizes } from '../../../../src/gpu/device/segments.js'
import { jobLayout } from '../../../../src/gpu/fill/layouts.js'
import { partLayout } from '../../../../src/gpu/fill/part-layout.js'
import { orthogonalPartLayout, packOrthogonalPart } from '../../../../src/gpu/orthogonal/part-layout.js'
import { defineModel, normal, planModel } from '../../../../src/index.js'
import type { Patch } from '../../../../src/ir/job.js'
import { splitByBytes, splitByCount } from '../../../../src/node/writers/shards.js'
import { shardRange } from '../../../../src/plan/parts/cut.js'
import { elementIndex, partGeometry, partRuns } from '../../../../src/plan/parts/geometry.js'
import { patchesOfPart } from '../../../../src/plan/parts/patches.js'
import { expectRefusal } from '../../../support/refusal.js'
import { seededWords } from '../../../support/seeded.js'
import { shaderFiles, structLayout } from '../../../support/wgsl.js'

const model = defineModel({
  parameters: [
    { name: 'w', shape: [10, 6, 4] },
    { name: 'b', shape: [10] },
    { name: 'e', shape: [5, 3], role: 'embedding' },
    { name: 't', shape: [5, 3], tiedTo: 'e' },
    { name: 'f', shape: [15], tiedTo: 'e', role: 'weight' },
  ],
})

describe('parts', () => {
  test('the layouts are those of the shader', () => {
    const { 'core/part': part = '', 'core/job_struct': job = '', 'core/constants': distribution = '' } = shaderFiles()
    const { unused: _, ...axis } = structLayout(part, 'PartAxis')
    expect(axis).toEqual(partLayout.axis)
    expect(structLayout(`${distribution}\n${job}`, 'Job')).toEqual(jobLayout)
    expect(part).toContain('axes: array<PartAxis, 8>')
    expect(partLayout.byteLength).toBe(partLayout.axes + 8 * partLayout.axis.byteLength)
    const whole = shaderFiles()['orthogonal/part'] ?? ''
    expect(whole).toContain('axes: array<vec4<u32>, 8>')
    // A list of eight is as one of them, eight times as long.
    const layout = structLayout(whole.replace('array<vec4<u32>, 8>', 'vec4<u32>'), 'OrthogonalPart')
    expect({ ...layout, byteLength: layout.byteLength! + 7 * 16 }).toEqual(orthogonalPartLayout)
    const axes = [
      { length: 3, stride: 1 },
      { length: 5, stride: 7 },
    ]
    const matrices = { first: 21, count: 22, centre: 23, stride: 24, rows: 25, columns: 26 }
    const fields = { firstLocal: 31, elementCount: 32, firstWord: 33, byteWidth: 2 }
    const words = new Uint32Array(packOrthogonalPart({ firstElement: 11, axes }, matrices, fields))
    expect([...words.subarray(0, 18)]).toEqual([11, 2, 31, 32, 33, 2, 23, 24, 21, 22, 25, 26, 3, 1, 0, 0, 5, 7])
  })

  test('rows are one run; columns are runs; axes that continue each other are merged', () => {
    expect(partGeometry([10, 6, 4], [2, 0, 0], [5, 6, 4])).toEqual({
      firstElement: 48,
      axes: [{ length: 72, stride: 1 }],
    })
    expect(partGeometry([10, 6, 4], [0, 1, 0], [10, 3, 4])).toEqual({
      firstElement: 4,
      axes: [
        { length: 8, stride: 1 },
        { length: 10, stride: 24 },
      ],
    })
    expect(partGeometry([10, 6, 4], [0, 0, 3], [10, 6, 4])).toEqual({
      firstElement: 3,
      axes: [
        { length: 1, stride: 1 },
        { length: 60, stride: 4 },
      ],
    })
    expect(partGeometry([], [], [])).toEqual({ firstElement: 0, axes: [{ length: 1, stride: 1 }] })
  })

  test('runs and single indices agree', () => {
    const part = partGeometry([7, 5, 6], [1, 1, 2], [6, 4, 5])
    const fromRuns = [...partRuns(part, 4, 30)].flatMap(({ first, count }) =>
      Array.from({ length: count }, (_, i) => first + i),
    )
    expect(fromRuns).toEqual(Array.from({ length: 30 }, (_, i) => elementIndex(part, 4 + i)))
  })

  test('a part of rows keeps the contiguous shader; a constant always does', () => {
    const rows = defineModel({ parameters: model.parameters.slice(0, 4) })
    const plan = planModel(rows, normal, { seed: 1, shard: { axis: 0, index: 1, count: 2 } })
    expect(fillJob(plan.parameters[0]!)).toMatchObject({ firstElement: 120, elementCount: 120 })
    expect(fillJob(plan.parameters[0]!).part).toBeUndefined()
    const columns = planModel(rows, normal, { seed: 1, shard: { axis: 1, index: 1, count: 2 } })
    expect(fillJob(columns.parameters[0]!).part?.axes).toHaveLength(2)
  })

  test('diagonals of a part are those of the whole, whatever their stride, and take no time between its runs', () => {
    const word = seededWords(3)
    const pattern = new Uint8Array(16)
    const placesOf = (patches: readonly Patch[]): number[] =>
      patches.flatMap((o) =>
        Array.from({ length: o.count }, (_, i) => o.first + i * (o.kind === 'diagonal' ? o.stride : 1)),
      )
    for (let round = 0; round < 400; round++) {
      const shape = Array.from({ length: 1 + (word() % 4) }, () => 1 + (word() % 7))
      const start = shape.map((length) => word() % length)
      const end = shape.map((length, axis) => start[axis]! + 1 + (word() % (length - start[axis]!)))
      const elements = shape.reduce((a, b) => a * b, 1)
      const part = partGeometry(shape, start, end)
      const count = end.reduce((n, stop, axis) => n * (stop - start[axis]!), 1)
      const first = word() % elements
      const stride = 2 + (word() % (elements + 3))
      const run = { kind: 'diagonal', first, stride, count: Math.ceil((elements - first) / stride), pattern } as const
      const wanted = new Set(placesOf([run]))
      const expected = Array.from({ length: count }, (_, i) => i).filter((i) => wanted.has(elementIndex(part, i)))
      const found = patchesOfPart([run], part, count)
      expect({ shape, start, end, run, places: placesOf(found) }).toMatchObject({ places: expected })
      expect(found.every((o) => o.kind === 'diagonal' && (o.count === 1 || o.stride >= 2))).toBe(true)
    }
    // Two rows of 2^50, one column of them: 2^50 places of the diagonal lie between.
    const part = partGeometry([2, 2 ** 50], [0, 6], [2, 7])
    const run = { kind: 'diagonal', first: 0, stride: 2, count: 2 ** 50, pattern } as const
    expect(placesOf(patchesOfPart([run], part, 2))).toEqual([0, 1])
  })

  test('shards cut as numpy.array_split does', () => {
    const pieces = Array.from({ length: 4 }, (_, index) => shardRange(10, { index, count: 4 }))
    expect(pieces).toEqual([
      [0, 3],
      [3, 6],
      [6, 8],
      [8, 10],
    ])
    expect(shardRange(2, { index: 2, count: 3 })).toEqual([2, 2])
  })

  test('the plan shows both shapes; distributions stay those of the whole; empty shards and missing axes are said', () => {
    const whole = planModel(model, 'kaiming', {}, { seed: 1 })
    const plan = planModel(model, 'kaiming', {}, { seed: 1, shard: { axis: 0, index: 7, count: 8 } })
    const [w, b, e, t, f] = plan.parameters
    expect(w).toMatchObject({
      shape: [1, 6, 4],
      elementCount: 24,
      part: { fullShape: [10, 6, 4], start: [9, 0, 0], end: [10, 6, 4] },
    })
    expect(w!.distribution).toEqual(whole.parameters[0]!.distribution)
    expect(w!.fans).toEqual(whole.parameters[0]!.fans)
    expect(b).toMatchObject({ shape: [1], part: { start: [9] } })
    for (const empty of [e, t, f])
      expect(empty).toMatchObject({ action: 'skip', rule: { because: expect.stringContaining('is empty') } })
    expect(plan.totals).toMatchObject({ parameterCount: 2, elementCount: 25 })
    expect(JSON.parse(JSON.stringify(plan)).parameters[0].part.fullShape).toEqual([10, 6, 4])
    const last = planModel(model, normal, { seed: 1, shard: { axis: 2, index: 0, count: 2 } })
    expect(last.parameters.map((p) => p.shape)).toEqual([[10, 6, 2], [10], [5, 3], [5, 3], [15]])
    const rules = [{ match: 'e', axis: -1, index: 0, count: 3 }]
    const byRule = planModel(defineModel({ parameters: model.parameters.slice(0, 4) }), normal, {
      seed: 1,
      shard: rules,
    })
    expect(byRule.parameters.map((p) => p.shape)).toEqual([[10, 6, 4], [10], [5, 1], [5, 1]])
    // A part that is everything is no part.
    expect(planModel(model, normal, { seed: 1, slice: { w: {} } }).parameters[0]!.part).toBeUndefined()
  })

  const refusals: [string, object, string[]][] = [
    ['an unknown name', { slice: { nope: {} } }, ['slice["nope"]', 'no parameter']],
    ['a tied name', { slice: { t: { end: [1] } } }, ['slice["t"]', '"e"']],
    ['too many bounds', { slice: { b: { start: [0, 0] } } }, ['slice["b"]', '1 axes']],
    ['an end past the axis', { slice: { w: { end: [11] } } }, ['[0, 11) on axis 0', '[0, 10)']],
    ['an empty range', { slice: { w: { start: [3], end: [3] } } }, ['[3, 3) on axis 0']],
    ['a negative bound', { slice: { w: { start: [-1] } } }, ['slice["w"]: start', '[-1]']],
    ['a fraction', { slice: { w: { end: [1.5] } } }, ['slice["w"]: end']],
    ['an unknown key', { slice: { w: { begin: [1] } } }, ['begin']],
    ['a list', { slice: [] }, ['slice must map']],
    ['a part of a tied pair of different shapes', { slice: { e: { end: [1] } } }, ['"f"', '"e"']],
    ['slice and shard', { slice: { w: { end: [1] } }, shard: { axis: 0, index: 0, count: 2 } }, ['"w"', 'one of them']],
    ['an index past count', { shard: { axis: 0, index: 2, count: 2 } }, ['index', '1']],
    ['no count', { shard: { axis: 0, index: 0 } }, ['count']],
    ['an axis that is no integer', { shard: { axis: 0.5, index: 0, count: 1 } }, ['axis', '0.5']],
    ['a rule without match', { shard: [{ axis: 0, index: 0, count: 1 }] }, ['shard[0]']],
    ['segments', { segments: 1 }, ['segments', '1']],
  ]
  test.each(refusals)('refused: %s', async (_, options, fragments) => {
    await expectRefusal(() => planModel(model, normal, { seed: 1, ...options }), 'INVALID_ARGUMENT', ...fragments)
  })

  test('more than eight cut axes are refused with the number', async () => {
    const shape = new Array(18).fill(2).flatMap((n, i) => (i % 2 ? [n] : [3]))
    const deep = defineModel({ parameters: [{ name: 'w', shape }] })
    const slice = { w: { end: shape.map((n) => (n === 3 ? 2 : 2)) } }
    await expectRefusal(() => planModel(deep, normal, { seed: 1, slice }), 'LIMIT_EXCEEDED', '9', 'cut fewer axes')
  })
})

describe('segments and files', () => {
  test('segments are as few as maxBufferSize allows and cover every element', () => {
    const sizes = segmentSizes(2 ** 26 + 5, 'float16', 2 ** 26 + 1000)
    expect(sizes.map(({ firstElement, elementCount }) => [firstElement, elementCount])).toEqual([
      [0, 2 ** 25 + 256],
      [2 ** 25 + 256, 2 ** 25 - 251],
    ])
    expect(sizes.every(({ byteLength }) => byteLength <= 2 ** 26 + 1000)).toBe(true)
  })

  test('files hold whole parameters in order, none is empty, and they are as even as that allows', () => {
    const parameters = [100, 1, 1, 1, 50, 50, 1, 1].map((n, i) => ({
      name: `p${i}`,
      shape: [n, 8],
      role: 'weight' as const,
    }))
    const planned = planModel({ parameters }, normal, { seed: 1 }).parameters
    const split = (count: number): string[][] =>
      splitByCount(planned, count).map((file) => file.map(({ name }) => name))
    for (let count = 1; count <= parameters.length; count++) {
      const files = split(count)
      expect(files.flat()).toEqual(parameters.map(({ name }) => name))
      expect(files.every((names) => names.length > 0)).toBe(true)
    }
    expect(split(2)).toEqual([
      ['p0', 'p1', 'p2', 'p3'],
      ['p4', 'p5', 'p6', 'p7'],
    ])
    expect(() => split(9)).toThrow(/9 shards are more than the model's 8 parameters/)
  })

  test('files of at most so many bytes: as many whole parameters as fit, a larger one alone', () => {
    const items = [5, 3, 3, 20, 1, 1].map((byteLength, i) => ({ name: `p${i}`, byteLength }))
    const split = (bytes: number): string[][] => splitByBytes(items, bytes).map((file) => file.map(({ name }) => name))
    expect(split(8)).toEqual([['p0', 'p1'], ['p2'], ['p3'], ['p4', 'p5']])
    expect(split(33)).toEqual([items.map(({ name }) => name)])
    expect(split(1)).toEqual(items.map(({ name }) => [name]))
  })
})
