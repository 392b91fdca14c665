// A result on the CPU backend: its parameters, values, reading, and what happens after destroy.
import { describe, expect, test } from 'vitest'
import { bitPatterns } from '../../../src/core/decode.js'
import { byteWidth } from '../../../src/core/dtype.js'
import { fillBytes } from '../../../src/cpu/fill.js'
import { fillJob } from '../../../src/fill/make-job.js'
import {
  batchNorm,
  conv2d,
  InitializedModel,
  initializeModel,
  initializeTensor,
  linear,
  planModel,
  relu,
  sequential,
} from '../../../src/index.js'
import type { Model, ParameterSpec } from '../../../src/ir/parameter.js'
import type { WeightStore } from '../../../src/store/weight-store.js'
import { bitsOf } from '../../support/golden/vectors.js'
import { bfloat16, float8e4m3, float8e5m2, half16, nearestPattern } from '../../support/references/half.js'
import { expectRefusal } from '../../support/refusal.js'

const cpu = (seed: number | bigint) => ({ device: 'cpu', seed }) as const
const network = sequential(conv2d(3, 7, 3), batchNorm(7, { buffers: true }), relu(), linear(63, 11))
const init = (model: Model = network, seed: number | bigint = 42): Promise<InitializedModel> =>
  initializeModel(model, 'kaiming', { mode: 'fan_out' }, cpu(seed))

describe('the result', () => {
  test('has the model’s parameters in order, in memory of their own', async () => {
    const weights = await init()
    expect(weights.backend).toBe('cpu')
    expect(weights.seed).toBe(42)
    expect([...weights.parameters.keys()]).toEqual([
      '0.weight',
      '0.bias',
      '1.weight',
      '1.bias',
      '1.running_mean',
      '1.running_var',
      '1.num_batches_tracked',
      '3.weight',
      '3.bias',
    ])
    const buffers = new Set([...weights.parameters.values()].map(({ buffer }) => buffer))
    expect(buffers.size).toBe(9)
    for (const { buffer } of weights.parameters.values()) expect(buffer).toBeInstanceOf(ArrayBuffer)
  })

  test('describes a parameter', async () => {
    const weights = await init()
    const parameter = weights.get('0.weight')
    expect(parameter).toMatchObject({
      name: '0.weight',
      shape: [7, 3, 3, 3],
      dtype: 'float32',
      elementCount: 189,
      byteOffset: 0,
      byteLength: 756,
      distribution: { kind: 'normal', mean: 0, std: Math.sqrt(2) / Math.sqrt(63) },
    })
    expect((parameter.buffer as unknown as ArrayBuffer).byteLength).toBe(756)
    expect(weights.parameters.get('0.weight')).toBe(parameter)
  })

  test('holds the values that the jobs define', async () => {
    const weights = await init()
    for (const parameter of weights.plan.parameters) {
      const bytes = await weights.readBytes(parameter.name)
      expect(bytes).toEqual(fillBytes(fillJob(parameter), 0, parameter.elementCount))
    }
  })

  test('biases, norms and running statistics', async () => {
    const weights = await init()
    const all = async (name: string): Promise<number[]> => [...new Set(await weights.read(name))]
    expect(await all('0.bias')).toEqual([0])
    expect(await all('1.weight')).toEqual([1])
    expect(await all('1.bias')).toEqual([0])
    expect(await all('1.running_mean')).toEqual([0])
    expect(await all('1.running_var')).toEqual([1])
    expect(new Set(await weights.read('3.weight')).size).toBeGreaterThan(600)
  })

  test('an int64 counter is eight zero bytes', async () => {
    const weights = await init()
    expect(weights.get('1.num_batches_tracked')).toMatchObject({ dtype: 'int64', byteLength: 8, shape: [] })
    expect([...(await weights.readBytes('1.num_batches_tracked'))]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect([...(await weights.read('1.num_batches_tracked'))]).toEqual([0])
  })

  test('the same seed gives the same bytes, another seed others', async () => {
    const [a, b, c] = await Promise.all([init(network, 7), init(network, 7n), init(network, 8)])
    expect(await a.readBytes('3.weight')).toEqual(await b.readBytes('3.weight'))
    expect(await a.readBytes('3.weight')).not.toEqual(await c.readBytes('3.weight'))
  })

  test('values do not depend on the other parameters', async () => {
    const alone = await initializeModel(
      { parameters: [{ name: '3.weight', shape: [11, 63] }] },
      'kaiming',
      { mode: 'fan_out' },
      cpu(42),
    )
    expect(await alone.readBytes('3.weight')).toEqual(await (await init()).readBytes('3.weight'))
  })

  test('an absent seed is drawn, and makes the same weights again', async () => {
    const drawn = await initializeModel(linear(9, 9), 'xavier', {}, { device: 'cpu' })
    expect(Number.isSafeInteger(drawn.seed)).toBe(true)
    const again = await initializeModel(linear(9, 9), 'xavier', {}, { device: 'cpu', seed: drawn.seed })
    expect(await again.read('weight')).toEqual(await drawn.read('weight'))
  })

  test('device auto is the CPU where there is no WebGPU', async () => {
    expect((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu).toBeUndefined()
    expect((await initializeModel(linear(2, 2), 'ones', {}, { device: 'auto' })).backend).toBe('cpu')
    expect((await initializeModel(linear(2, 2), 'ones')).backend).toBe('cpu')
  })
})

describe('reading', () => {
  test('read and readBytes give copies', async () => {
    const weights = await init()
    const [bytes, values] = [await weights.readBytes('3.weight'), await weights.read('3.weight')]
    const before = bytes.slice()
    bytes.fill(0xff)
    values.fill(9)
    expect(await weights.readBytes('3.weight')).toEqual(before)
  })

  test('a part of a parameter', async () => {
    const weights = await init()
    const whole = await weights.readBytes('3.weight')
    expect(await weights.readBytes('3.weight', 8)).toEqual(whole.slice(8))
    expect(await weights.readBytes('3.weight', 12, 7)).toEqual(whole.slice(12, 19))
    expect(await weights.readBytes('3.weight', whole.length, 0)).toHaveLength(0)
  })

  test.each([
    [2, 4],
    [-4, 4],
    [0, 2773],
    [2776, 0],
    [0, -1],
    [0.5, 1],
    [0, 1.5],
    [Number.NaN, 4],
  ])('start %d, length %d is refused', async (start, length) => {
    const weights = await init()
    expect(weights.get('3.weight').byteLength).toBe(2772)
    await expectRefusal(
      () => weights.readBytes('3.weight', start, length),
      'INVALID_ARGUMENT',
      '"3.weight"',
      String(start),
      '2772',
    )
  })

  test('an unknown name lists the known ones', async () => {
    const weights = await init()
    for (const act of [() => weights.get('w'), () => weights.read('w'), () => weights.readBytes('w')]) {
      await expectRefusal(act, 'UNKNOWN_PARAMETER', '"w"', '"0.weight"')
    }
  })
})

describe.each([
  ['float16', half16],
  ['bfloat16', bfloat16],
  ['float8_e4m3fn', float8e4m3],
  ['float8_e5m2', float8e5m2],
] as const)('%s', (dtype, format) => {
  const nearest = nearestPattern(format)

  test.each(['normal', 'uniform', 'xavier', 'kaiming'])(
    '%s: the float32 of the same seed, rounded to nearest even',
    async (name) => {
      const model = linear(33, 31)
      const wide = await (await initializeModel(model, name as never, {}, cpu(3))).read('weight')
      const narrow = await initializeModel(model, name as never, {}, { ...cpu(3), dtype })
      const bytes = await narrow.readBytes('weight')
      const patterns = [...bitPatterns(bytes, byteWidth(dtype))]
      expect(patterns).toEqual(Array.from(wide, nearest))
      expect(narrow.get('weight')).toMatchObject({ dtype, byteLength: byteWidth(dtype) * wide.length })
    },
  )

  test('read decodes it, and verify and statistics know it', async () => {
    const weights = await initializeModel(linear(5, 3), 'normal', {}, { ...cpu(3), dtype })
    const bytes = await weights.readBytes('weight')
    const values = await weights.read('weight')
    expect([...bitPatterns(bytes, byteWidth(dtype))]).toEqual(Array.from(values, nearest))
    expect((await weights.verify()).ok).toBe(true)
    expect((await weights.statistics()).get('weight')?.max).toBe(Math.max(...values))
  })
})

describe('tied parameters', () => {
  const parameters: ParameterSpec[] = [
    { name: 'head.weight', shape: [4, 10], tiedTo: 'wte.weight' },
    { name: 'wte.weight', shape: [10, 4], role: 'embedding' },
  ]

  test('share their owner’s memory, values and distribution', async () => {
    const weights = await initializeModel({ parameters }, 'normal', {}, cpu(1))
    const [head, wte] = [weights.get('head.weight'), weights.get('wte.weight')]
    expect(head.buffer).toBe(wte.buffer)
    expect(head.byteOffset).toBe(wte.byteOffset)
    expect(head).toMatchObject({
      tiedTo: 'wte.weight',
      shape: [4, 10],
      distribution: wte.distribution,
      expected: wte.expected,
    })
    expect(await weights.read('head.weight')).toEqual(await weights.read('wte.weight'))
    expect([...(await weights.statistics()).keys()]).toEqual(['wte.weight'])
    expect((await weights.verify()).parameters.map(({ name }) => name)).toEqual(['wte.weight'])
  })
})

test('skipped parameters are not there', async () => {
  const weights = await initializeModel(network, 'xavier', {}, { ...cpu(1), skip: ['1.*', { role: 'bias' }] })
  expect([...weights.parameters.keys()]).toEqual(['0.weight', '3.weight'])
  await expectRefusal(() => weights.get('0.bias'), 'UNKNOWN_PARAMETER', '"0.bias"')
})

test('a model whose every parameter is skipped is an empty result', async () => {
  const weights = await initializeModel(network, 'xavier', {}, { ...cpu(1), skip: '*' })
  expect(weights.parameters.size).toBe(0)
  expect(weights.plan.totals).toEqual({ parameterCount: 0, elementCount: 0, byteLength: 0 })
  expect((await weights.statistics()).size).toBe(0)
  expect(await weights.verify()).toMatchObject({ ok: true, complete: true, elementCount: 0 })
  expect(weights.manifest().parameters).toEqual([])
})

describe('manifest', () => {
  test('is JSON that makes the same weights again', async () => {
    const parameters: ParameterSpec[] = [
      { name: 'w', shape: [6, 5] },
      { name: 'b', shape: [6] },
      { name: 'tied', shape: [5, 6], tiedTo: 'w' },
      { name: 'gone', shape: [3] },
    ]
    const weights = await initializeModel(
      { parameters },
      'kaiming',
      { gain: 3 },
      { ...cpu(2n ** 64n - 1n), dtype: 'bfloat16', skip: 'gone' },
    )
    const manifest = JSON.parse(JSON.stringify(weights.manifest()))
    expect(manifest).toMatchObject({
      format: 'webgpu-init-manifest',
      version: 1,
      valueContract: 1,
      generator: 'philox',
      seed: '18446744073709551615',
    })
    expect(manifest.parameters.map((p: { name: string }) => p.name)).toEqual(['w', 'b', 'tied'])
    expect(manifest.parameters[0]).toEqual({
      name: 'w',
      shape: [6, 5],
      dtype: 'bfloat16',
      role: 'weight',
      initializer: 'kaiming',
      config: { mode: 'fan_in', nonlinearity: 'relu', a: 0, gain: 3, distribution: 'normal' },
      distribution: { kind: 'normal', mean: 0, std: 3 / Math.sqrt(5) },
    })
    expect(manifest.parameters[2].tiedTo).toBe('w')
    const [first] = manifest.parameters
    const again = await initializeModel(
      { parameters: [{ name: first.name, shape: first.shape, dtype: first.dtype, role: first.role }] },
      first.initializer,
      first.config,
      { device: 'cpu', seed: BigInt(manifest.seed) },
    )
    expect(await again.readBytes('w')).toEqual(await weights.readBytes('w'))
  })

  test('is there after destroy', async () => {
    const weights = await init()
    const before = weights.manifest()
    weights.destroy()
    expect(weights.manifest()).toEqual(before)
  })
})

describe('destroy', () => {
  test.each<[string, (weights: InitializedModel) => unknown]>([
    ['read', (weights) => weights.read('0.weight')],
    ['readBytes', (weights) => weights.readBytes('0.weight')],
    ['statistics', (weights) => weights.statistics()],
    ['verify', (weights) => weights.verify()],
  ])('%s afterwards is refused, also after a second destroy', async (_, use) => {
    const weights = await init()
    await use(weights)
    weights.destroy()
    await expectRefusal(() => use(weights), 'DESTROYED', 'destroyed')
    weights.destroy()
    await expectRefusal(() => use(weights), 'DESTROYED', 'seed')
  })

  test('frees the memory once, however often it is called', () => {
    let freed = 0
    const plan = planModel(linear(2, 2), 'ones', {}, { seed: 1 })
    const store = {
      backend: 'cpu',
      region: () => ({ buffer: new ArrayBuffer(16), byteOffset: 0 }),
      destroy: () => freed++,
    }
    const weights = InitializedModel.of(plan, store as unknown as WeightStore)
    weights.destroy()
    weights.destroy()
    weights[Symbol.dispose]()
    expect(freed).toBe(1)
  })

  test('Symbol.dispose is destroy', async () => {
    const weights = await init()
    weights[Symbol.dispose]()
    await expectRefusal(() => weights.read('0.weight'), 'DESTROYED')
  })
})

describe('initializeTensor', () => {
  test('takes a shape', async () => {
    const weights = await initializeTensor([3, 4], 'normal', {}, cpu(5))
    expect(weights.get('tensor')).toMatchObject({ shape: [3, 4], distribution: { kind: 'normal', mean: 0, std: 1 } })
  })

  test.each<[number[]]>([[[5]], [[]]])('shape %j takes the initializer it is given', async (shape) => {
    const weights = await initializeTensor(shape, 'uniform', { a: 2, b: 3 }, cpu(5))
    for (const value of await weights.read('tensor')) expect(value >= 2 && value < 3).toBe(true)
  })

  test('takes a spec; the name chooses the stream', async () => {
    const spec = { shape: [8, 8], dtype: 'float16', layout: 'in-out', name: 'fc.weight' } as const
    const weights = await initializeTensor(spec, 'xavier', {}, cpu(5))
    expect(weights.get('fc.weight').dtype).toBe('float16')
    const inModel = await initializeModel({ parameters: [spec] }, 'xavier', {}, cpu(5))
    expect(await inModel.readBytes('fc.weight')).toEqual(await weights.readBytes('fc.weight'))
    const other = await initializeTensor({ ...spec, name: 'other' }, 'xavier', {}, cpu(5))
    expect(await other.readBytes('other')).not.toEqual(await weights.readBytes('fc.weight'))
  })

  test.each<[string, unknown]>([
    ['a number', 5],
    ['null', null],
    ['a string', 'w'],
    ['an unknown key', { shape: [2, 2], tiedTo: 'x' }],
  ])('%s is refused', async (_, tensor) => {
    await expectRefusal(() => initializeTensor(tensor as number[], 'normal', {}, cpu(0)), 'INVALID_ARGUMENT')
  })
})

test('a parameter longer than a chunk equals its parts', async () => {
  // 2^18 elements are made at a time.
  const count = 2 ** 18 + 2 ** 17 + 3
  const weights = await initializeModel(
    { parameters: [{ name: 'w', shape: [count], role: 'weight' }] },
    'normal',
    {},
    cpu(6),
  )
  const job = fillJob(weights.plan.parameters[0]!)
  const read = await weights.read('w')
  for (const first of [0, 2 ** 18 - 5, 2 ** 18 - 1, 2 ** 18, count - 7]) {
    const part = fillBytes(job, first, 7)
    expect(bitsOf(read.slice(first, first + 7))).toEqual([...new Uint32Array(part.slice().buffer)])
  }
})
