// Settings of initializers that must be refused. Each is one clear error, before the device is touched.
import { describe, expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../../src/core/errors.js'
import * as library from '../../../src/index.js'
import { expectRefusal, untouchableDevice } from '../../support/refusal.js'

const model = { parameters: [{ name: 'layer.w', shape: [3, 4] }] }

type Row = [what: string, name: string, config: unknown, fragments: string[]]

const configs: Row[] = [
  ['std NaN', 'normal', { std: Number.NaN }, ['std', 'NaN']],
  ['std infinite', 'normal', { std: Number.POSITIVE_INFINITY }, ['std', 'Infinity']],
  ['std -infinite', 'normal', { std: Number.NEGATIVE_INFINITY }, ['std', '-Infinity']],
  ['std negative', 'normal', { std: -0.02 }, ['std', '-0.02', '>= 0']],
  ['std a string', 'normal', { std: '0.02' }, ['std', '"0.02"']],
  ['std null', 'normal', { std: null }, ['std', 'null']],
  ['std a bigint', 'normal', { std: 1n }, ['std', '1n']],
  ['mean NaN', 'normal', { mean: Number.NaN }, ['mean', 'NaN']],
  ['mean infinite', 'normal', { mean: Number.NEGATIVE_INFINITY }, ['mean', '-Infinity']],
  ['mean a string', 'normal', { mean: '0' }, ['mean', '"0"']],
  ['a > b', 'uniform', { a: 1, b: 0 }, ['1', '0', 'Swap']],
  ['a > the default b', 'uniform', { a: 2 }, ['2', '1']],
  ['a > b, both negative', 'uniform', { a: -1, b: -2 }, ['-1', '-2']],
  ['a NaN', 'uniform', { a: Number.NaN }, ['a', 'NaN']],
  ['b NaN', 'uniform', { b: Number.NaN }, ['b', 'NaN']],
  ['b infinite', 'uniform', { b: Number.POSITIVE_INFINITY }, ['b', 'Infinity']],
  ['b a string', 'uniform', { b: '1' }, ['b', '"1"']],
  ['b null', 'uniform', { b: null }, ['b', 'null']],
  ['xavier gain a string', 'xavier', { gain: 'relu' }, ['gain', '"relu"', 'number']],
  ['xavier gain NaN', 'xavier', { gain: Number.NaN }, ['gain', 'NaN']],
  ['xavier gain infinite', 'xavier', { gain: Number.POSITIVE_INFINITY }, ['gain', 'Infinity']],
  ['xavier gain null', 'xavier', { gain: null }, ['gain', 'null']],
  ['xavier gain an array', 'xavier', { gain: [1] }, ['gain', '[1]']],
  ['kaiming gain a string', 'kaiming', { gain: '2' }, ['gain', '"2"', 'number']],
  ['kaiming gain NaN', 'kaiming', { gain: Number.NaN }, ['gain', 'NaN']],
  ['kaiming gain null', 'kaiming', { gain: null }, ['gain', 'null']],
  ['kaiming a NaN', 'kaiming', { a: Number.NaN, nonlinearity: 'leaky_relu' }, ['NaN']],
  ['kaiming a a string', 'kaiming', { a: 'x', nonlinearity: 'leaky_relu' }, ['x']],
  ['kaiming a a string that no gain reads', 'kaiming', { a: '0' }, ['a', '"0"']],
  ['kaiming a null', 'kaiming', { a: null }, ['a', 'null']],
  ['unknown mode', 'kaiming', { mode: 'fan_avg' }, ['fan_avg', 'fan_in', 'fan_out']],
  ['mode a number', 'kaiming', { mode: 1 }, ['1', 'fan_in', 'fan_out']],
  ['mode null', 'kaiming', { mode: null }, ['null', 'fan_in']],
  ['unknown nonlinearity', 'kaiming', { nonlinearity: 'gelu' }, ['gelu', 'leaky_relu']],
  ['nonlinearity a function', 'kaiming', { nonlinearity: library.relu }, ['function', 'leaky_relu']],
  ['nonlinearity of Object.prototype', 'kaiming', { nonlinearity: 'constructor' }, ['constructor', 'leaky_relu']],
  [
    'unknown distribution of xavier',
    'xavier',
    { distribution: 'cauchy' },
    ['distribution', '"cauchy"', 'uniform, normal'],
  ],
  ['unknown distribution of kaiming', 'kaiming', { distribution: 'truncated' }, ['distribution', '"truncated"']],
  ['unknown config key of xavier', 'xavier', { gian: 1 }, ['xavier', '"gian"', 'gain']],
  ['unknown config key of kaiming', 'kaiming', { fan: 'fan_in' }, ['kaiming', '"fan"', 'mode']],
  ['unknown config key of normal', 'normal', { stddev: 1 }, ['normal', '"stddev"', 'std']],
  ['unknown config key of uniform', 'uniform', { min: 0 }, ['uniform', '"min"', 'a, b']],
  ['unknown config key of constant', 'constant', { val: 0 }, ['constant', '"val"', 'value']],
  [
    'a config key that the name has fixed',
    'xavier_normal',
    { distribution: 'uniform' },
    ['xavier_normal', 'distribution'],
  ],
  ['a value for zeros', 'zeros', { value: 1 }, ['zeros', 'value']],
  ['constant NaN', 'constant', { value: Number.NaN }, ['value', 'NaN']],
  ['constant a string', 'constant', { value: '0' }, ['value', '"0"']],
  ['constant null', 'constant', { value: null }, ['value', 'null']],
  ['config a number', 'normal', 0.02, ['normal', 'config', '0.02']],
  ['config a string', 'normal', 'std', ['normal', 'config']],
  ['config an array', 'normal', [0, 1], ['normal', 'config']],
]

describe('config by name', () => {
  test.each(configs)('%s', async (_, name, config, fragments) => {
    const { device, touches } = untouchableDevice()
    const act = () =>
      library.initializeModel(model, name as never, config as Record<string, unknown>, { device, seed: 1 })
    await expectRefusal(act, 'INVALID_CONFIG', ...fragments)
    expect(touches).toEqual([])
  })

  test.each(configs)('%s, in a rule', async (_, initializer, config, fragments) => {
    const rules = [{ match: '*', initializer, config: config as Record<string, unknown> }]
    await expectRefusal(() => library.planModel(model, rules as never, { seed: 1 }), 'INVALID_CONFIG', ...fragments)
  })
})

describe('config of a class', () => {
  const classes = {
    normal: library.NormalInitializer,
    uniform: library.UniformInitializer,
    xavier: library.XavierInitializer,
    kaiming: library.KaimingInitializer,
    constant: library.ConstantInitializer,
  } as Record<string, new (config: never) => library.Initializer>
  // The presets are the names' own, and have no class.
  const rows = configs.filter(([, name]) => Object.hasOwn(classes, name))

  test.each(rows)('%s', async (_, name, config, fragments) => {
    const Class = classes[name]!
    await expectRefusal(() => new Class(config as never), 'INVALID_CONFIG', ...fragments)
  })

  test.each(Object.entries(classes))('%s of null', async (_, Class) => {
    await expectRefusal(() => new Class(null as never), 'INVALID_CONFIG', 'null')
  })
})

describe('initializer names', () => {
  test.each<[unknown]>([
    ['glorot'],
    ['XAVIER'],
    ['xavier '],
    [''],
    ['_'],
    ['xavier__'],
    ['skip'],
    ['constructor'],
    ['__proto__'],
    ['toString'],
    ['hasOwnProperty'],
  ])('%j is unknown, and the known ones are listed', async (name) => {
    const { device, touches } = untouchableDevice()
    const act = () => library.initializeModel(model, name as string as never, {}, { device, seed: 1 })
    await expectRefusal(act, 'UNKNOWN_INITIALIZER', JSON.stringify(name), 'xavier_uniform', 'kaiming', 'zeros')
    expect(touches).toEqual([])
  })

  test('one in a rule', async () => {
    const act = () => library.planModel(model, [{ match: '*', initializer: 'glorot' as never }], { seed: 1 })
    await expectRefusal(act, 'UNKNOWN_INITIALIZER', '"glorot"', 'xavier')
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a number', 1],
    ['an object', { name: 'normal' }],
    ['a class', library.NormalInitializer],
  ])('an initializer that is %s', async (_, initializer) => {
    const act = () => library.planModel(model, initializer as string as never, {}, { seed: 1 })
    await expectRefusal(act, 'INVALID_ARGUMENT', 'initializer', 'name')
  })
})

describe('a distribution that the parameter cannot take is refused by the parameter’s name', () => {
  const huge = 3.5e38
  test.each<[string, Partial<library.ParameterSpec>, string, Record<string, unknown>, WeightInitErrorCode, string[]]>([
    [
      'float16 overflow',
      { dtype: 'float16' },
      'normal',
      { std: 20000 },
      'INVALID_CONFIG',
      ['20000', 'float16', '65504'],
    ],
    [
      'float16 overflow of the mean',
      { dtype: 'float16' },
      'normal',
      { mean: 65000, std: 100 },
      'INVALID_CONFIG',
      ['65000', 'float16'],
    ],
    [
      'float16 overflow of an end',
      { dtype: 'float16' },
      'uniform',
      { b: 70000 },
      'INVALID_CONFIG',
      ['70000', 'float16', '65504'],
    ],
    [
      'float16 overflow of a range',
      { dtype: 'float16' },
      'uniform',
      { a: -40000, b: 40000 },
      'INVALID_CONFIG',
      ['40000', '-40000'],
    ],
    [
      'float16 overflow of a constant',
      { dtype: 'float16' },
      'constant',
      { value: 65520 },
      'INVALID_CONFIG',
      ['65520', 'float16'],
    ],
    ['float32 overflow', {}, 'normal', { std: 1e38 }, 'INVALID_CONFIG', ['1e+38', 'float32']],
    ['float32 overflow of an end', {}, 'uniform', { b: huge }, 'INVALID_CONFIG', ['3.5e+38', 'float32']],
    ['float32 overflow of the lower end', {}, 'uniform', { a: -huge }, 'INVALID_CONFIG', ['-3.5e+38', 'float32']],
    ['float32 overflow of a range', {}, 'uniform', { a: -3e38, b: 3e38 }, 'INVALID_CONFIG', ['3e+38']],
    ['float32 overflow of a constant', {}, 'constant', { value: 1e39 }, 'INVALID_CONFIG', ['1e+39', 'float32']],
    [
      'bfloat16 overflow of a constant',
      { dtype: 'bfloat16' },
      'constant',
      { value: 3.4e38 },
      'INVALID_CONFIG',
      ['3.4e+38', 'bfloat16'],
    ],
    ['too small a std', {}, 'normal', { std: 1e-30 }, 'INVALID_CONFIG', ['std', '1e-30', '2^-60']],
    ['too small a mean', {}, 'normal', { mean: 1e-30 }, 'INVALID_CONFIG', ['mean', '1e-30']],
    ['too small a range', {}, 'uniform', { a: 0, b: 1e-30 }, 'INVALID_CONFIG', ['1e-30']],
    ['too small a lower end', {}, 'uniform', { a: 1e-30, b: 1 }, 'INVALID_CONFIG', ['1e-30']],
    ['too small a gain', {}, 'xavier', { gain: 1e-30 }, 'INVALID_CONFIG', ['2^-60']],
    ['int64 at random', { dtype: 'int64' }, 'normal', {}, 'UNSUPPORTED_DTYPE', ['int64', 'constant', 'skip']],
    ['int8 at random', { dtype: 'int8' }, 'kaiming', {}, 'UNSUPPORTED_DTYPE', ['int8']],
    ['bool at random', { dtype: 'bool' }, 'uniform', {}, 'UNSUPPORTED_DTYPE', ['bool']],
    [
      'uint8 with a fractional constant',
      { dtype: 'uint8' },
      'constant',
      { value: 0.5 },
      'INVALID_CONFIG',
      ['0.5', 'uint8'],
    ],
    [
      'uint8 with a negative constant',
      { dtype: 'uint8' },
      'constant',
      { value: -1 },
      'INVALID_CONFIG',
      ['-1', 'uint8', '255'],
    ],
    [
      'int8 with a large constant',
      { dtype: 'int8' },
      'constant',
      { value: 128 },
      'INVALID_CONFIG',
      ['128', 'int8', '127'],
    ],
    ['bool with 2', { dtype: 'bool' }, 'constant', { value: 2 }, 'INVALID_CONFIG', ['2', 'bool']],
    ['int64 with 2^63', { dtype: 'int64' }, 'constant', { value: 2 ** 63 }, 'INVALID_CONFIG', ['int64']],
    [
      'rank 1 for xavier',
      { shape: [7], role: 'weight' },
      'xavier',
      {},
      'INVALID_SHAPE',
      ['[7]', 'fewer than 2 dimensions', 'fan'],
    ],
    [
      'rank 1 for kaiming',
      { shape: [7], role: 'weight' },
      'kaiming',
      {},
      'INVALID_SHAPE',
      ['[7]', 'fewer than 2 dimensions'],
    ],
    [
      'rank 0 for xavier_normal',
      { shape: [], role: 'weight' },
      'xavier_normal',
      {},
      'INVALID_SHAPE',
      ['[]', 'fewer than 2 dimensions'],
    ],
    [
      'rank 0 for kaiming_uniform',
      { shape: [], role: 'weight' },
      'kaiming_uniform',
      {},
      'INVALID_SHAPE',
      ['[]', 'fewer than 2 dimensions'],
    ],
  ])('%s', async (_, facts, name, config, code, fragments) => {
    const { device, touches } = untouchableDevice()
    const parameters = [
      { name: 'fine', shape: [2, 2] },
      { name: 'layer.w', shape: [3, 4], ...facts },
    ]
    const rules = [
      { match: 'fine', initializer: 'zeros' },
      { match: '*', initializer: name, config },
    ]
    const act = () => library.initializeModel({ parameters }, rules as never, { device, seed: 1 })
    await expectRefusal(act, code, '"layer.w"', ...fragments)
    expect(touches).toEqual([])
  })

  test.each<[string, Partial<library.ParameterSpec>, string, Record<string, unknown>]>([
    ['a = b', {}, 'uniform', { a: 0.5, b: 0.5 }],
    ['std 0', {}, 'normal', { mean: 0.5, std: 0 }],
    ['an integer with a constant', { dtype: 'int32' }, 'constant', { value: -5 }],
    ['float16 to its last', { dtype: 'float16' }, 'constant', { value: 65504 }],
    ['2^-60 itself', {}, 'normal', { std: 2 ** -60 }],
    ['a vector with given fans', { shape: [7], role: 'weight', fan: { in: 4, out: 4 } }, 'xavier', {}],
  ])('but not %s', (_, facts, name, config) => {
    const parameters = [{ name: 'layer.w', shape: [3, 4], role: 'weight' as const, ...facts }]
    expect(library.planModel({ parameters }, name as never, config, { seed: 1 }).parameters).toHaveLength(1)
  })
})
