// config.json as it may come off a disk: parsed JSON of any kind.
import { describe, expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../../../src/core/errors.js'
import { gpt2Recipe, planModel, readHuggingFaceConfig } from '../../../../src/index.js'
import { expectRefusal } from '../../../support/refusal.js'

const gpt2 = { model_type: 'gpt2', n_layer: 1, n_embd: 8, n_positions: 4, vocab_size: 10 }

describe('what is no configuration', () => {
  test.each<[string, unknown, string[]]>([
    ['null', null, ['null', 'object']],
    ['an array', [gpt2], ['object', 'model_type']],
    ['a string', 'gpt2', ['"gpt2"', 'object']],
    ['a number', 12, ['12', 'object']],
    ['true', true, ['true', 'object']],
    ['undefined', undefined, ['undefined', 'object']],
    ['an empty object', {}, ['model_type', 'undefined', 'gpt2']],
    ['an unknown model_type', { ...gpt2, model_type: 'rwkv' }, ['model_type', '"rwkv"', 'gpt2, llama', 'defineModel']],
    ['another case', { ...gpt2, model_type: 'GPT2' }, ['model_type', '"GPT2"']],
    ['model_type null', { ...gpt2, model_type: null }, ['model_type', 'null']],
    ['model_type a list', { ...gpt2, model_type: ['gpt2'] }, ['model_type', '["gpt2"]']],
    ['model_type __proto__', { ...gpt2, model_type: '__proto__' }, ['model_type', '"__proto__"']],
    ['model_type constructor', { ...gpt2, model_type: 'constructor' }, ['model_type', '"constructor"']],
    ['everything under __proto__', JSON.parse(`{"__proto__": ${JSON.stringify(gpt2)}}`), ['model_type', 'undefined']],
  ])('%s', async (_, config, fragments) => {
    await expectRefusal(() => readHuggingFaceConfig(config), 'INVALID_FILE', 'config.json', ...fragments)
  })
})

describe('values', () => {
  const sizes = ['n_layer', 'n_embd', 'n_positions', 'vocab_size', 'n_inner', 'num_hidden_layers', 'hidden_size']
  const wrong: [unknown, string][] = [
    ['12', '"12"'],
    [-1, '-1'],
    [0, '0'],
    [1.5, '1.5'],
    [1e12, '1000000000000'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [true, 'true'],
    [[12], '[12]'],
    [{}, '{}'],
  ]

  test.each(sizes.flatMap((key) => wrong.map(([value, shown]) => [key, shown, value] as const)))(
    '%s %s',
    async (key, shown, value) => {
      const { n_layer, n_embd, ...rest } = gpt2
      const others = {
        ...(key === 'num_hidden_layers' ? {} : { n_layer }),
        ...(key === 'hidden_size' ? {} : { n_embd }),
      }
      const config = { ...rest, ...others, [key]: value }
      await expectRefusal(() => readHuggingFaceConfig(config), 'INVALID_FILE', 'config.json', key, shown)
    },
  )

  test.each<[string, unknown, WeightInitErrorCode, string[]]>([
    ['n_layer', 1_000_000, 'INVALID_FILE', ['n_layer', '1000000', '10000']],
    ['initializer_range', -0.02, 'INVALID_FILE', ['initializer_range', '-0.02']],
    ['initializer_range', '0.02', 'INVALID_FILE', ['initializer_range', '"0.02"']],
    ['initializer_range', Number.NaN, 'INVALID_FILE', ['initializer_range', 'NaN']],
    ['torch_dtype', 'float64', 'UNSUPPORTED_DTYPE', ['torch_dtype', '"float64"']],
    ['torch_dtype', 'int8', 'UNSUPPORTED_DTYPE', ['torch_dtype', 'int8']],
    ['torch_dtype', 16, 'UNSUPPORTED_DTYPE', ['torch_dtype', '16']],
    ['n_embd', 2 ** 31 - 1, 'INVALID_SHAPE', ['2^53']],
  ])('%s %j', async (key, value, code, fragments) => {
    const config = { ...gpt2, vocab_size: 2 ** 23, [key]: value }
    await expectRefusal(() => readHuggingFaceConfig(config), code, ...fragments)
  })

  test('a __proto__ key changes nothing', () => {
    const polluted = JSON.parse('{"__proto__": {"n_layer": 3, "n_embd": "x"}, "model_type": "gpt2", "n_embd": 8}')
    expect(readHuggingFaceConfig(polluted).model.parameters).toHaveLength(148)
    expect(({} as { n_layer?: number }).n_layer).toBeUndefined()
  })

  test.each(sizes)('%s null is absent', (key) => {
    const keys = { ...gpt2, [key]: null }
    expect(planModel(readHuggingFaceConfig(keys).model, 'zeros', {}, { seed: 0 }).parameters.length).toBeGreaterThan(0)
  })
})

describe('gpt2Recipe', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['layers 0', { layers: 0 }, ['layers', '0']],
    ['layers a string', { layers: '12' }, ['layers', '"12"']],
    ['layers NaN', { layers: Number.NaN }, ['layers', 'NaN']],
    ['layers negative', { layers: -2 }, ['layers', '-2']],
  ])('%s', async (_, settings, fragments) => {
    const error = await expectRefusal(() => gpt2Recipe(settings), 'INVALID_ARGUMENT', ...fragments)
    expect(error.message).toContain('gpt2Recipe')
  })

  test('an unknown setting', async () => {
    await expectRefusal(
      () => gpt2Recipe({ layer: 12 } as object),
      'INVALID_ARGUMENT',
      'gpt2Recipe',
      '"layer"',
      'layers',
    )
  })
})
