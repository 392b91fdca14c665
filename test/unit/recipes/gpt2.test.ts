// GPT-2 as transformers builds and initialises it: names, order, shapes, fans and stds.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { floatDTypes } from '../../../src/core/dtype.js'
import { gpt2Recipe, readHuggingFaceConfig } from '../../../src/index.js'
import { planModel } from '../../../src/plan/plan.js'

const small = { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] }
const planOf = (config: object) => {
  const { model, recipe } = readHuggingFaceConfig(config)
  return planModel(model, recipe, { seed: 42 })
}

/** named_parameters() of transformers' GPT2LMHeadModel, in order. */
function transformersNames(layers: number, prefix: string): string[] {
  const block = ['ln_1', 'attn.c_attn', 'attn.c_proj', 'ln_2', 'mlp.c_fc', 'mlp.c_proj']
  return [
    'wte.weight',
    'wpe.weight',
    ...Array.from({ length: layers }, (_, i) =>
      block.flatMap((part) => [`h.${i}.${part}.weight`, `h.${i}.${part}.bias`]),
    ).flat(),
    'ln_f.weight',
    'ln_f.bias',
  ].map((name) => prefix + name)
}

describe('GPT-2 124M', () => {
  const read = readHuggingFaceConfig(small)
  const plan = planModel(read.model, read.recipe, { seed: 42 })
  const find = (name: string) => plan.parameters.find((p) => p.name === `transformer.${name}`)!

  test('148 parameters, 124,439,808 elements', () => {
    expect(plan.parameters).toHaveLength(148)
    expect(plan.totals).toEqual({ parameterCount: 148, elementCount: 124_439_808, byteLength: 497_759_232 })
    expect(read.architecture).toBe('gpt2')
  })

  test('transformers’ names and order', () => {
    expect(plan.parameters.map(({ name }) => name)).toEqual(transformersNames(12, 'transformer.'))
  })

  test('the head shares the embedding', () => {
    expect(read.tied).toEqual({ 'lm_head.weight': 'transformer.wte.weight' })
  })

  test.each([
    ['wte.weight', [50257, 768]],
    ['wpe.weight', [1024, 768]],
    ['h.0.ln_1.weight', [768]],
    ['h.5.attn.c_attn.weight', [768, 2304]],
    ['h.5.attn.c_attn.bias', [2304]],
    ['h.11.attn.c_proj.weight', [768, 768]],
    ['h.0.mlp.c_fc.weight', [768, 3072]],
    ['h.0.mlp.c_proj.weight', [3072, 768]],
    ['h.0.mlp.c_proj.bias', [768]],
    ['ln_f.bias', [768]],
  ])('%s is %j', (name, shape) => {
    expect(find(name).shape).toEqual(shape)
  })

  test('Conv1D weights are [in, out]: fans the other way round', () => {
    const weights = plan.parameters.filter(({ role }) => role === 'weight')
    expect(weights).toHaveLength(48)
    for (const { layout } of weights) expect(layout).toBe('in-out')
    expect(find('h.0.attn.c_attn.weight').fans).toEqual({ fanIn: 768, fanOut: 2304 })
    expect(find('h.0.mlp.c_proj.weight').fans).toEqual({ fanIn: 3072, fanOut: 768 })
  })

  test('the recipe: 0.02, residual projections 0.02 / sqrt(24), biases 0, LayerNorm 1 and 0', () => {
    for (const { name, distribution } of plan.parameters) {
      const expected = name.endsWith('c_proj.weight')
        ? { kind: 'normal', mean: 0, std: 0.02 / Math.sqrt(24) }
        : /ln_\w\.weight$/.test(name)
          ? { kind: 'constant', value: 1 }
          : name.endsWith('.bias')
            ? { kind: 'constant', value: 0 }
            : { kind: 'normal', mean: 0, std: 0.02 }
      expect([name, distribution]).toEqual([name, expected])
    }
  })
})

test('the example config is GPT-2 124M', () => {
  const config = JSON.parse(readFileSync(new URL('../../../examples/gpt2/config.json', import.meta.url), 'utf8'))
  expect(planOf(config).toJSON()).toEqual(planOf(small).toJSON())
})

test('every size comes from the config', () => {
  const config = {
    ...small,
    n_layer: 3,
    n_embd: 8,
    n_positions: 5,
    vocab_size: 11,
    n_inner: 20,
    initializer_range: 0.1,
  }
  const plan = planOf(config)
  expect(plan.parameters.map(({ name }) => name)).toEqual(transformersNames(3, 'transformer.'))
  const shapes = Object.fromEntries(plan.parameters.map(({ name, shape }) => [name, shape]))
  expect(shapes['transformer.wte.weight']).toEqual([11, 8])
  expect(shapes['transformer.wpe.weight']).toEqual([5, 8])
  expect(shapes['transformer.h.2.mlp.c_fc.weight']).toEqual([8, 20])
  const stds = plan.parameters.map(({ distribution: d }) => (d.kind === 'normal' ? d.std : 0))
  expect(new Set(stds)).toEqual(new Set([0.1, 0.1 / Math.sqrt(6), 0]))
})

test('the other names of the same keys', () => {
  const a = planOf({ ...small, n_layer: 2, n_embd: 8, n_positions: 5, n_inner: null })
  const b = planOf({ ...small, num_hidden_layers: 2, hidden_size: 8, max_position_embeddings: 5 })
  expect(b.toJSON()).toEqual(a.toJSON())
  expect(a.parameters.find(({ name }) => name.endsWith('h.0.mlp.c_fc.weight'))?.shape).toEqual([8, 32])
})

test('without a head there is no prefix and nothing is tied', () => {
  for (const architectures of [['GPT2Model'], undefined]) {
    const read = readHuggingFaceConfig({ ...small, n_layer: 1, architectures })
    expect(read.model.parameters.map(({ name }) => name)).toEqual(transformersNames(1, ''))
    expect(read.tied).toEqual({})
  }
})

test('a head that is not tied is a parameter of its own', () => {
  const read = readHuggingFaceConfig({ ...small, n_layer: 1, tie_word_embeddings: false })
  expect(read.tied).toEqual({})
  expect(read.model.parameters.at(-1)).toMatchObject({ name: 'lm_head.weight', shape: [50257, 768] })
  const plan = planModel(read.model, read.recipe, { seed: 0 })
  expect(plan.parameters.at(-1)?.distribution).toEqual({ kind: 'normal', mean: 0, std: 0.02 })
})

test.each(floatDTypes)('torch_dtype %s', (dtype) => {
  for (const key of ['torch_dtype', 'dtype']) {
    const plan = planOf({ ...small, n_layer: 1, [key]: dtype })
    expect(new Set(plan.parameters.map((p) => p.dtype))).toEqual(new Set([dtype]))
  }
})

test('another initializer takes the place of the recipe', () => {
  const { model } = readHuggingFaceConfig({ ...small, n_layer: 1 })
  const plan = planModel(model, 'kaiming', { mode: 'fan_out' }, { seed: 1 })
  const fc = plan.parameters.find(({ name }) => name.endsWith('c_fc.weight'))
  expect(fc?.distribution).toEqual({ kind: 'normal', mean: 0, std: Math.sqrt(2) / Math.sqrt(3072) })
})

test('gpt2Recipe alone has the defaults of 124M', () => {
  const { model } = readHuggingFaceConfig(small)
  expect(planModel(model, gpt2Recipe(), { seed: 42 }).toJSON()).toEqual(planOf(small).toJSON())
})
