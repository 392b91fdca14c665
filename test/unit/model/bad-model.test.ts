// Models that must be refused. Each is one clear error that names the parameter, before the device is touched.
import { describe, expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../../src/core/errors.js'
import * as library from '../../../src/index.js'
import { expectRefusal, untouchableDevice } from '../../support/refusal.js'

/** A model that plans and defineModel alike must refuse. */
function refuses(model: unknown, code: WeightInitErrorCode, fragments: string[]) {
  return async () => {
    const { device, touches } = untouchableDevice()
    const act = () => library.initializeModel(model as library.Model, 'normal', {}, { device, seed: 1 })
    const first = await expectRefusal(act, code, ...fragments)
    expect(touches).toEqual([])
    const second = await expectRefusal(() => library.defineModel(model as library.Model), code)
    expect(second.message).toBe(first.message)
  }
}

const one = (facts: object): object => ({
  parameters: [
    { name: 'first', shape: [1] },
    { name: 'layer.w', shape: [2, 3], ...facts },
  ],
})

describe('shapes', () => {
  test.each<[string, unknown, string[]]>([
    ['a zero', [3, 0], ['dimension 1', '0', 'zero-element']],
    ['a negative', [-3, 4], ['dimension 0', '-3']],
    ['a fraction', [3, 2.5], ['dimension 1', '2.5']],
    ['NaN', [Number.NaN], ['dimension 0', 'NaN']],
    ['infinity', [2, Number.POSITIVE_INFINITY], ['dimension 1', 'Infinity']],
    ['2^53', [2 ** 53], ['dimension 0', '9007199254740992']],
    ['1e300', [1e300], ['dimension 0', '1e+300']],
    ['a string', ['3', 4], ['dimension 0', '"3"']],
    ['a bigint', [3n, 4n], ['dimension 0', '3n']],
    ['null', [null], ['dimension 0', 'null']],
    ['a hole', new Array(2), ['dimension 0', 'undefined']],
    ['an array', [[3, 4]], ['dimension 0', '[3,4]']],
    ['-0', [-0], ['dimension 0']],
    ['2^53 elements', [2 ** 27, 2 ** 26], ['2^53', '134217728']],
    ['2^60 elements of four axes', [2 ** 15, 2 ** 15, 2 ** 15, 2 ** 15], ['2^53']],
  ])('with %s', async (_, shape, fragments) => {
    await refuses(one({ shape }), 'INVALID_SHAPE', ['"layer.w"', ...fragments])()
  })

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['a string', '2,3', '"2,3"'],
    ['an object', { 0: 2, 1: 3, length: 2 }, 'array'],
    ['a typed array', new Int32Array([2, 3]), 'array'],
  ])('that are %s', async (_, shape, shown) => {
    await refuses(one({ shape }), 'INVALID_SHAPE', ['"layer.w"', 'array of positive integers', shown])()
  })

  test('of more bytes than can be addressed', async () => {
    const model = { parameters: [{ name: 'layer.w', shape: [2 ** 26, 2 ** 26] }] }
    await expectRefusal(
      () => library.planModel(model, 'normal', {}, { seed: 1 }),
      'INVALID_SHAPE',
      '"layer.w"',
      '2^53',
      'bytes',
    )
  })

  test('of more memory than there is, on the CPU', async () => {
    const model = { parameters: [{ name: 'layer.w', shape: [2 ** 40], role: 'weight' as const }] }
    const act = () => library.initializeModel(model, 'zeros', {}, { device: 'cpu', seed: 1 })
    const error = await expectRefusal(act, 'OUT_OF_MEMORY', '"layer.w"', String(2 ** 42))
    expect(error).toBeInstanceOf(library.OutOfMemoryError)
    expect(error.cause).toBeDefined()
  })

  test('a large model is planned without memory', () => {
    const model = { parameters: [{ name: 'layer.w', shape: [2 ** 25, 2 ** 25] }] }
    expect(library.planModel(model, 'xavier', {}, { seed: 1 }).totals.elementCount).toBe(2 ** 50)
  })
})

describe('names', () => {
  test.each<[string, unknown, string]>([
    ['empty', '', '""'],
    ['absent', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 7, '7'],
    ['an object', {}, '{}'],
  ])('that are %s', async (_, name, shown) => {
    await refuses(one({ name }), 'INVALID_MODEL', ['Parameter 1', 'name', shown])()
  })

  test('that stand twice', refuses(one({ name: 'first' }), 'INVALID_MODEL', ['"first"', 'unique']))

  test('that stand twice through sequential', async () => {
    const model = library.sequential({
      'a.b': library.linear(2, 2),
      a: library.sequential({ b: library.linear(2, 2) }),
    })
    await expectRefusal(() => library.planModel(model, 'normal', {}, { seed: 1 }), 'INVALID_MODEL', '"a.b.weight"')
  })

  test.each(['__proto__', 'constructor', 'toString', '0'])('%j is a name like any other', async (name) => {
    const weights = await library.initializeModel(
      { parameters: [{ name, shape: [2, 2] }] },
      'ones',
      {},
      { device: 'cpu', seed: 1 },
    )
    expect([...(await weights.read(name))]).toEqual([1, 1, 1, 1])
    expect((await weights.statistics()).get(name)?.count).toBe(4)
  })
})

describe('fields', () => {
  test.each<[string, object, WeightInitErrorCode, string[]]>([
    ['an unknown dtype', { dtype: 'float64' }, 'UNSUPPORTED_DTYPE', ['"float64"', 'float32', 'bfloat16', 'int64']],
    ['a dtype of Object.prototype', { dtype: 'constructor' }, 'UNSUPPORTED_DTYPE', ['"constructor"']],
    ['a dtype that is no string', { dtype: 32 }, 'UNSUPPORTED_DTYPE', ['32']],
    ['an unknown role', { role: 'kernel' }, 'INVALID_MODEL', ['role', '"kernel"', 'weight', 'norm-scale', 'embedding']],
    ['a role that is no string', { role: 1 }, 'INVALID_MODEL', ['role', '1']],
    ['an unknown layout', { layout: 'nchw' }, 'INVALID_MODEL', ['layout', '"nchw"', 'out-in', 'in-out', 'transposed']],
    ['groups 0', { groups: 0 }, 'INVALID_MODEL', ['groups', '0', 'positive integer']],
    ['groups -1', { groups: -1 }, 'INVALID_MODEL', ['groups', '-1']],
    ['groups 1.5', { groups: 1.5 }, 'INVALID_MODEL', ['groups', '1.5']],
    ['groups NaN', { groups: Number.NaN }, 'INVALID_MODEL', ['groups', 'NaN']],
    ['groups a string', { groups: '2' }, 'INVALID_MODEL', ['groups', '"2"']],
    ['groups that do not divide', { shape: [10, 3], groups: 4 }, 'INVALID_MODEL', ['groups 4', '10', 'axis 0']],
    [
      'groups that do not divide, in-out',
      { shape: [4, 10], layout: 'in-out', groups: 4 },
      'INVALID_MODEL',
      ['groups 4', '10', 'axis 1'],
    ],
    [
      'groups that do not divide, transposed',
      { shape: [10, 4], layout: 'transposed', groups: 4 },
      'INVALID_MODEL',
      ['groups 4', '10', 'axis 0'],
    ],
    ['a fan that is no object', { fan: 3 }, 'INVALID_MODEL', ['fan', '3']],
    ['a fan without out', { fan: { in: 3 } }, 'INVALID_MODEL', ['fan.out', 'undefined']],
    ['a fan of 0', { fan: { in: 0, out: 1 } }, 'INVALID_MODEL', ['fan.in', '0']],
    ['a fan of NaN', { fan: { in: 1, out: Number.NaN } }, 'INVALID_MODEL', ['fan.out', 'NaN']],
    ['a fan with another key', { fan: { in: 1, out: 1, avg: 1 } }, 'INVALID_MODEL', ['fan', '"avg"']],
    ['a fan of null', { fan: null }, 'INVALID_MODEL', ['fan', 'null']],
    ['an unknown key', { initializer: 'normal' }, 'INVALID_MODEL', ['"initializer"', 'shape']],
    ['a misspelt key', { tiedto: 'first' }, 'INVALID_MODEL', ['"tiedto"', 'tiedTo']],
    ['a tie to a number', { tiedTo: 0 }, 'INVALID_MODEL', ['tiedTo', '0']],
    ['a tie to nothing', { tiedTo: 'gone' }, 'INVALID_MODEL', ['"gone"', 'not a parameter']],
    ['a tie to itself', { tiedTo: 'layer.w' }, 'INVALID_MODEL', ['itself']],
    ['a tie to another size', { tiedTo: 'first' }, 'INVALID_MODEL', ['"first"', '[1]', '[2,3]']],
    [
      'a tie to another dtype',
      { shape: [1], dtype: 'float16', tiedTo: 'first' },
      'INVALID_MODEL',
      ['"first"', 'float32', 'float16'],
    ],
  ])('%s', async (_, facts, code, fragments) => {
    await refuses(one(facts), code, ['"layer.w"', ...fragments])()
  })

  test('a tie to a tie', async () => {
    const parameters = [
      { name: 'a', shape: [2] },
      { name: 'b', shape: [2], tiedTo: 'a' },
      { name: 'c', shape: [2], tiedTo: 'b' },
    ]
    await refuses({ parameters }, 'INVALID_MODEL', ['"c"', '"b"', '"a"'])()
  })

  test('two that are tied to each other', async () => {
    const parameters = [
      { name: 'a', shape: [2], tiedTo: 'b' },
      { name: 'b', shape: [2], tiedTo: 'a' },
    ]
    await refuses({ parameters }, 'INVALID_MODEL', ['"a"', '"b"'])()
  })
})

describe('what is no model', () => {
  test.each<[string, unknown, string[]]>([
    ['null', null, ['null', 'defineModel']],
    ['undefined', undefined, ['undefined', 'defineModel']],
    ['a string', 'resnet50', ['"resnet50"', 'defineModel']],
    ['a list of parameters', [{ name: 'w', shape: [2] }], ['defineModel']],
    ['an object without parameters', { layers: [] }, ['defineModel', 'layers']],
    ['a layer function', library.relu, ['defineModel']],
    ['parameters that are no list', { parameters: { w: [2, 2] } }, ['list of parameters']],
    ['an empty model', { parameters: [] }, ['no parameters', 'linear']],
    ['a parameter that is null', { parameters: [null] }, ['Parameter 0', 'null']],
    ['a parameter that is a string', { parameters: ['w'] }, ['Parameter 0', '"w"']],
    ['a parameter that is a list', { parameters: [['w', [2, 2]]] }, ['Parameter 0']],
  ])('%s', async (_, model, fragments) => {
    await refuses(model, 'INVALID_MODEL', fragments)()
  })

  test('a network of activations alone', async () => {
    const model = library.sequential(library.relu(), library.dropout())
    await expectRefusal(() => library.planModel(model, 'normal', {}, { seed: 1 }), 'INVALID_MODEL', 'no parameters')
  })
})

describe('layers', () => {
  const { linear, conv1d, conv2d, conv3d, embedding, layerNorm, batchNorm, sequential, leakyRelu } = library
  const n = (value: unknown): number => value as number

  test.each<[string, () => unknown, WeightInitErrorCode, string[]]>([
    ['linear of 0', () => linear(0, 3), 'INVALID_SHAPE', ['linear', 'inFeatures', '0']],
    ['linear of a string', () => linear(n('3'), 3), 'INVALID_SHAPE', ['linear', 'inFeatures', '"3"']],
    ['linear without outputs', () => linear(3, n(undefined)), 'INVALID_SHAPE', ['linear', 'outFeatures', 'undefined']],
    ['linear of NaN', () => linear(3, Number.NaN), 'INVALID_SHAPE', ['linear', 'outFeatures', 'NaN']],
    [
      'linear with an unknown option',
      () => linear(3, 3, { biass: true } as object),
      'INVALID_ARGUMENT',
      ['linear', '"biass"', 'bias'],
    ],
    [
      'linear with options that are no object',
      () => linear(3, 3, false as unknown as object),
      'INVALID_ARGUMENT',
      ['linear', 'false'],
    ],
    ['linear with options null', () => linear(3, 3, null as unknown as object), 'INVALID_ARGUMENT', ['linear', 'null']],
    ['conv1d of a fraction', () => conv1d(3, 4, 1.5), 'INVALID_SHAPE', ['conv1d', 'kernel[0]', '1.5']],
    ['conv2d of a kernel of three', () => conv2d(3, 4, [3, 3, 3]), 'INVALID_SHAPE', ['conv2d', '[3,3,3]', '2 numbers']],
    ['conv2d of a kernel of one', () => conv2d(3, 4, [3]), 'INVALID_SHAPE', ['conv2d', '[3]']],
    ['conv2d without a kernel', () => conv2d(3, 4, n(undefined)), 'INVALID_SHAPE', ['conv2d', 'kernel', 'undefined']],
    ['conv2d with a kernel of null', () => conv2d(3, 4, n(null)), 'INVALID_SHAPE', ['conv2d', 'kernel', 'null']],
    ['conv3d of a negative kernel', () => conv3d(3, 4, [1, -1, 1]), 'INVALID_SHAPE', ['conv3d', 'kernel[1]', '-1']],
    ['conv2d of groups 0', () => conv2d(4, 4, 3, { groups: 0 }), 'INVALID_SHAPE', ['conv2d', 'groups', '0']],
    [
      'groups that do not divide the inputs',
      () => conv2d(3, 4, 3, { groups: 2 }),
      'INVALID_SHAPE',
      ['conv2d', '3', '2', 'in_channels must be divisible by groups'],
    ],
    [
      'groups that do not divide the outputs',
      () => conv2d(4, 3, 3, { groups: 2 }),
      'INVALID_SHAPE',
      ['conv2d', '3', '2', 'out_channels must be divisible by groups'],
    ],
    ['embedding of 0', () => embedding(10, 0), 'INVALID_SHAPE', ['embedding', 'dimension', '0']],
    [
      'embedding with a bias',
      () => embedding(10, 2, { bias: true } as object),
      'INVALID_ARGUMENT',
      ['embedding', '"bias"'],
    ],
    ['layerNorm of a negative', () => layerNorm([4, -1]), 'INVALID_SHAPE', ['layerNorm', 'normalizedShape[1]', '-1']],
    ['layerNorm of nothing', () => layerNorm(n(undefined)), 'INVALID_SHAPE', ['layerNorm', 'undefined']],
    ['layerNorm of null', () => layerNorm(n(null)), 'INVALID_SHAPE', ['layerNorm', 'null']],
    ['batchNorm of a string', () => batchNorm(n('8')), 'INVALID_SHAPE', ['batchNorm', 'features', '"8"']],
    [
      'batchNorm with PyTorch’s option',
      () => batchNorm(8, { eps: 1e-5 } as object),
      'INVALID_ARGUMENT',
      ['batchNorm', '"eps"'],
    ],
    ['leakyRelu of a string', () => leakyRelu(n('0.1')), 'INVALID_ARGUMENT', ['leakyRelu', '"0.1"']],
    ['leakyRelu of NaN', () => leakyRelu(Number.NaN), 'INVALID_ARGUMENT', ['leakyRelu', 'NaN']],
    [
      'sequential of a function',
      () => sequential(library.relu as unknown as library.Model),
      'INVALID_MODEL',
      ['"0"', 'function'],
    ],
    [
      'sequential of null',
      () => sequential(linear(2, 2), null as unknown as library.Model),
      'INVALID_MODEL',
      ['"1"', 'null'],
    ],
    ['sequential of null alone', () => sequential(null as unknown as library.Model), 'INVALID_MODEL', ['"0"', 'null']],
    [
      'sequential of a named function',
      () => sequential({ act: library.relu as unknown as library.Model }),
      'INVALID_MODEL',
      ['"act"'],
    ],
  ])('%s', async (_, act, code, fragments) => {
    await expectRefusal(act, code, ...fragments)
  })
})
