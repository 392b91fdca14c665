// Configs as they are found: aliases, old keys, odd values; and what transformers 4 and 5 make of the same one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planModel, readHuggingFaceConfig } from '../../../src/index.js'
import { readModelFile } from '../../../src/node/model-file.js'
import type { HuggingFaceOptions } from '../../../src/readers/huggingface/read.js'
import { parsePythonJson } from '../../../src/readers/json/python.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { expectRefusal } from '../../support/refusal.js'

const tiny = {
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 32,
  vocab_size: 20,
  max_position_embeddings: 12,
}
const bert = { model_type: 'bert', ...tiny }
const read = (config: object, options: HuggingFaceOptions = {}) => readHuggingFaceConfig(config, options)
const shapeOf = (config: object, name: string, options: HuggingFaceOptions = {}) =>
  read(config, options).model.parameters.find((p) => p.name === name)?.shape
const distributionOf = (config: object, name: string, options: HuggingFaceOptions = {}) => {
  const { model, recipe } = read(config, options)
  return planModel(model, recipe, { seed: 1 }).parameters.find((p) => p.name === name)?.distribution
}
const namesOf = (config: object, options: HuggingFaceOptions = {}) =>
  read(config, options).model.parameters.map(({ name }) => name)

describe('keys', () => {
  test('pad_token_id null is no padding row, an absent one is the class’s', () => {
    const words = (config: object) =>
      read(config).model.parameters.find(({ name }) => name.endsWith('word_embeddings.weight'))?.paddingIndex
    expect(words({ ...bert, pad_token_id: null })).toBeUndefined()
    expect(words(bert)).toBe(0)
  })

  test('num_labels is read by every head, 0 included', () => {
    const head = 'BertForQuestionAnswering'
    expect(shapeOf({ ...bert, num_labels: 5 }, 'qa_outputs.weight', { head })).toEqual([5, 16])
    expect(shapeOf(bert, 'qa_outputs.weight', { head })).toEqual([2, 16])
  })

  test('GPT-2: aliases go first, n_ctx is another thing, heads divide the width', async () => {
    const gpt2 = { model_type: 'gpt2', n_embd: 32, n_layer: 1, vocab_size: 20 }
    expect(shapeOf({ ...gpt2, n_ctx: 10 }, 'wpe.weight')).toEqual([1024, 32])
    expect(shapeOf({ ...gpt2, n_positions: 10, max_position_embeddings: 12 }, 'wpe.weight')).toEqual([12, 32])
    await expectRefusal(() => read({ ...gpt2, n_head: 5 }), 'INVALID_FILE', 'n_head', '5')
  })

  test('T5: aliases, is_gated_act, and the old name of its class', () => {
    const t5 = { model_type: 't5', d_model: 16, d_kv: 4, d_ff: 8, num_heads: 2, num_layers: 1, vocab_size: 20 }
    const wide = { ...t5, hidden_size: 24, head_dim: 5 }
    expect(shapeOf(wide, 'encoder.block.0.layer.0.SelfAttention.q.weight')).toEqual([10, 24])
    const gated = namesOf({ ...t5, is_gated_act: true, dense_act_fn: 'gelu' })
    expect(gated.filter((name) => name.includes('wi_1'))).not.toEqual([])
    expect(read({ ...t5, architectures: ['T5WithLMHeadModel'] }).head).toBe('T5ForConditionalGeneration')
  })

  test('CLIP: text_config_dict goes before text_config', () => {
    const config = { model_type: 'clip', text_config: { hidden_size: 64 }, text_config_dict: { hidden_size: 32 } }
    const name = 'text_model.final_layer_norm.weight'
    expect(shapeOf(config, name)).toEqual([32])
    expect(shapeOf({ ...config, text_config_dict: null }, name)).toEqual([64])
  })

  test('a class stands for a model_type that is missing', () => {
    const { model_type, ...rest } = bert
    expect(read({ ...rest, architectures: ['BertForMaskedLM'] }).architecture).toBe(model_type)
  })

  test('an untied decoder has its own bias', () => {
    const untied = namesOf({ ...bert, tie_word_embeddings: false }, { head: 'BertForMaskedLM' })
    expect(untied).toEqual(expect.arrayContaining(['cls.predictions.decoder.weight', 'cls.predictions.decoder.bias']))
    const tied = read(bert, { head: 'BertForMaskedLM' }).tied
    expect(tied['cls.predictions.decoder.bias']).toBe('cls.predictions.bias')
  })

  test('dtype: auto, with torch before it, or one that only an option replaces', async () => {
    const dtypeOf = (dtype: string, options: HuggingFaceOptions = {}) =>
      read({ ...bert, dtype }, options).model.parameters[0]?.dtype
    expect([dtypeOf('auto'), dtypeOf('torch.bfloat16'), dtypeOf('half')]).toEqual(['float32', 'bfloat16', 'float16'])
    await expectRefusal(() => dtypeOf('float64'), 'UNSUPPORTED_DTYPE', 'float64')
    expect(dtypeOf('float64', { dtype: 'float16' })).toBe('float16')
  })
})

describe('transformers 5 and 4', () => {
  test('the version is checked', async () => {
    await expectRefusal(() => read(bert, { transformers: 3 as never }), 'INVALID_ARGUMENT', 'transformers', '3')
  })

  test('T5 1.1’s head is tied in 5', () => {
    const config = { model_type: 't5', tie_word_embeddings: false, architectures: ['T5ForConditionalGeneration'] }
    expect(read(config).tied).toHaveProperty(['lm_head.weight'], 'shared.weight')
    expect(namesOf(config, { transformers: 4 })).toContain('lm_head.weight')
  })

  test('RoBERTa’s table of positions comes last in 5', () => {
    const at = (options: HuggingFaceOptions) =>
      namesOf({ ...bert, model_type: 'roberta' }, options).indexOf('embeddings.position_embeddings.weight')
    expect([at({}), at({ transformers: 4 })]).toEqual([4, 1])
  })

  test('ViT: names, untruncated weights, norms before the feed-forward layers, and head_dim in 5', () => {
    const vit = { model_type: 'vit', ...tiny, image_size: 16, patch_size: 8 }
    const inner = { 5: 'layers.0.mlp.fc1.weight', 4: 'encoder.layer.0.intermediate.dense.weight' }
    const query = { 5: 'layers.0.attention.q_proj.weight', 4: 'encoder.layer.0.attention.attention.query.weight' }
    expect(distributionOf(vit, inner[5])).toEqual({ kind: 'normal', mean: 0, std: 0.02 })
    expect(distributionOf(vit, inner[4], { transformers: 4 })?.kind).toBe('truncated-normal')
    for (const transformers of [5, 4] as const) {
      expect(distributionOf(vit, 'embeddings.cls_token', { transformers })?.kind).toBe('truncated-normal')
      const names = namesOf(vit, { transformers })
      const norm = names.findIndex((name) => name.endsWith('layernorm_before.weight'))
      expect(norm < names.indexOf(inner[transformers])).toBe(transformers === 5)
      expect(shapeOf({ ...vit, head_dim: 4 }, query[transformers], { transformers })).toEqual([
        transformers === 5 ? 8 : 16,
        16,
      ])
    }
  })

  test('a range of 0 is 0 in 4, and no range in 5', () => {
    const zero = { ...bert, initializer_range: 0 }
    const name = 'encoder.layer.0.intermediate.dense.weight'
    expect(distributionOf(zero, name)).toEqual({ kind: 'normal', mean: 0, std: 0.02 })
    expect(distributionOf(zero, name, { transformers: 4 })).toEqual({ kind: 'constant', value: 0 })
  })

  test('Whisper’s initializer_range counts in 5', () => {
    const config = { model_type: 'whisper', init_std: 0.02, initializer_range: 0.5 }
    const name = 'decoder.embed_tokens.weight'
    expect(distributionOf(config, name)).toMatchObject({ std: 0.5 })
    expect(distributionOf(config, name, { transformers: 4 })).toMatchObject({ std: 0.02 })
  })
})

describe('files', () => {
  test('NaN, Infinity and a byte order mark, as Python reads them', () => {
    const text = '\ufeff{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN, \\"Infinity\\""}'
    expect(parsePythonJson(text)).toEqual({
      a: Number.NaN,
      b: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      c: 'NaN, "Infinity"',
    })
    expect(() => parsePythonJson('{"a": NaNs}')).toThrow(SyntaxError)
  })

  test('a folder whose config is of an unknown architecture is read by its checkpoint', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'webgpu-init-config-'))
    try {
      await writeFile(join(folder, 'config.json'), '{"model_type": "mamba"}')
      await expectRefusal(() => readModelFile(folder), 'INVALID_FILE', '"mamba"')
      const { header, byteLength } = layoutSafetensors([{ name: 'fc.weight', shape: [2, 2], dtype: 'float32' }])
      const bytes = new Uint8Array(byteLength)
      bytes.set(header)
      await writeFile(join(folder, 'model.safetensors'), bytes)
      expect((await readModelFile(folder)).kind).toBe('safetensors')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
