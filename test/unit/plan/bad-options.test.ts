// Options that must be refused, by initializeModel and planModel alike, before the device is touched.
import { describe, expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../../src/core/errors.js'
import { type InitializeOptions, initializeModel, linear, planModel } from '../../../src/index.js'
import { expectRefusal, untouchableDevice } from '../../support/refusal.js'

const model = linear(3, 2)

test.each<[string, Record<string, unknown>, WeightInitErrorCode, string[]]>([
  ['an unknown option', { sede: 1 }, 'INVALID_ARGUMENT', ['"sede"', 'seed']],
  ['the option generator of another kind', { generator: 'mt19937' }, 'UNSUPPORTED_GENERATOR', ['"mt19937"', 'philox']],
  ['a generator that is no string', { generator: 7 }, 'UNSUPPORTED_GENERATOR', ['7', 'philox']],
  ['a seed of NaN', { seed: Number.NaN }, 'INVALID_ARGUMENT', ['seed', 'NaN', 'integer']],
  ['a fractional seed', { seed: 0.5 }, 'INVALID_ARGUMENT', ['seed', '0.5']],
  ['an infinite seed', { seed: Number.POSITIVE_INFINITY }, 'INVALID_ARGUMENT', ['seed', 'Infinity']],
  ['a seed of text', { seed: '42' }, 'INVALID_ARGUMENT', ['seed', '"42"']],
  ['a seed of null', { seed: null }, 'INVALID_ARGUMENT', ['seed', 'null']],
  ['an unknown dtype', { dtype: 'float64' }, 'UNSUPPORTED_DTYPE', ['"float64"', 'float32', 'float16', 'bfloat16']],
  ['an integer dtype', { dtype: 'int32' }, 'UNSUPPORTED_DTYPE', ['"int32"', 'float32']],
  ['a dtype of Object.prototype', { dtype: 'toString' }, 'UNSUPPORTED_DTYPE', ['"toString"']],
  ['unknown buffers', { buffers: 'shared' }, 'INVALID_ARGUMENT', ['buffers', '"shared"', 'packed']],
  ['a buffer alignment of 8', { bufferAlignment: 8 }, 'INVALID_ARGUMENT', ['bufferAlignment', '8', '4 or 16']],
  ['a usage of text', { usage: 'STORAGE' }, 'INVALID_ARGUMENT', ['usage', '"STORAGE"']],
  ['a negative usage', { usage: -1 }, 'INVALID_ARGUMENT', ['usage', '-1']],
  ['a fractional usage', { usage: 1.5 }, 'INVALID_ARGUMENT', ['usage', '1.5']],
  ['a controller for a signal', { signal: new AbortController() }, 'INVALID_ARGUMENT', ['signal', 'AbortSignal']],
  ['a signal of text', { signal: 'stop' }, 'INVALID_ARGUMENT', ['signal', '"stop"']],
  ['a signal of null', { signal: null }, 'INVALID_ARGUMENT', ['signal', 'null']],
  [
    'something that only looks like a signal',
    { signal: { aborted: false } },
    'INVALID_ARGUMENT',
    ['signal', 'AbortSignal'],
  ],
  ['an onProgress that is no function', { onProgress: true }, 'INVALID_ARGUMENT', ['onProgress', 'true']],
  ['a skip of a number', { skip: 3 }, 'INVALID_ARGUMENT', ['skip', '3']],
  ['a skip of null', { skip: null }, 'INVALID_ARGUMENT', ['skip', 'null']],
  ['a skip with an empty glob', { skip: ['*.bias', ''] }, 'INVALID_ARGUMENT', ['skip', 'empty']],
  ['into of text', { into: 'weight' }, 'INVALID_ARGUMENT', ['into', '"weight"']],
])('%s', async (_, options, code, fragments) => {
  const { device, touches } = untouchableDevice()
  const given = { device, seed: 1, ...options } as unknown as InitializeOptions
  await expectRefusal(() => initializeModel(model, 'normal', {}, given), code, ...fragments)
  expect(touches).toEqual([])
  await expectRefusal(() => planModel(model, 'normal', {}, given), code, ...fragments)
})

describe('device', () => {
  test.each<[string, unknown, string]>([
    ['gpu', 'gpu', '"gpu"'],
    ['CPU', 'CPU', '"CPU"'],
    ['null', null, 'null'],
    ['a number', 0, '0'],
    ['true', true, 'true'],
    ['an adapter', { requestDevice: () => {} }, "'cpu'"],
    ['a promise of a device', Promise.resolve({ createComputePipelineAsync: () => {} }), "'cpu'"],
  ])('%s', async (_, device, shown) => {
    const options = { device, seed: 1 } as unknown as InitializeOptions
    await expectRefusal(
      () => initializeModel(model, 'normal', {}, options),
      'INVALID_ARGUMENT',
      'device',
      shown,
      "'auto'",
    )
  })
})

test.each<[string, unknown]>([
  ['a string', 'cpu'],
  ['a number', 42],
  ['an array', [1, 2]],
])('options that are %s', async (_, options) => {
  const act = () => initializeModel(model, 'normal', {}, options as InitializeOptions)
  await expectRefusal(act, 'INVALID_ARGUMENT', 'option')
})
