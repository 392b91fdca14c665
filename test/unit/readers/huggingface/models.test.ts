// Real models' configs: the total of their elements against counts published elsewhere, and tensors by name and shape.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { huggingFaceArchitectures, planModel, readHuggingFaceConfig } from '../../../../src/index.js'
import { expectRefusal } from '../../../support/refusal.js'

const configOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../../../examples/${folder}/config.json`, import.meta.url), 'utf8'))

/** Counts as `sum(p.numel() for p in model.parameters())` prints them, shared memory counted once. */
const totals: readonly [folder: string, head: string, parameters: number, elements: number][] = [
  ['gpt2', 'GPT2LMHeadModel', 148, 124_439_808],
  ['llama-3.2-1b', 'LlamaForCausalLM', 146, 1_235_814_400],
  ['mistral-7b', 'MistralForCausalLM', 291, 7_241_732_096],
  ['qwen2-0.5b', 'Qwen2ForCausalLM', 290, 494_032_768],
  ['qwen3-0.6b', 'Qwen3ForCausalLM', 310, 596_049_920],
  ['gemma-2b', 'GemmaForCausalLM', 164, 2_506_172_416],
  ['bert-base-uncased', 'BertModel', 199, 109_482_240],
  ['bert-base-uncased', 'BertForMaskedLM', 202, 109_514_298],
  ['bert-base-uncased', 'BertForPreTraining', 206, 110_106_428],
  ['roberta-base', 'RobertaModel', 199, 124_645_632],
  ['roberta-base', 'RobertaForMaskedLM', 202, 124_697_433],
  ['distilbert-base-uncased', 'DistilBertModel', 100, 66_362_880],
  ['distilbert-base-uncased', 'DistilBertForMaskedLM', 105, 66_985_530],
  ['vit-base-patch16-224', 'ViTModel', 200, 86_389_248],
  ['vit-base-patch16-224', 'ViTForImageClassification', 200, 86_567_656],
  ['deit-base-distilled', 'DeiTForImageClassificationWithTeacher', 203, 87_338_192],
  ['t5-small', 'T5ForConditionalGeneration', 131, 60_506_624],
  ['t5-v1_1-small', 'T5ForConditionalGeneration', 189, 60_511_616],
  ['whisper-tiny', 'WhisperForConditionalGeneration', 167, 37_760_640],
  ['clip-vit-base-patch32', 'CLIPModel', 398, 151_277_313],
]

test.each(totals)('%s, %s: %i parameters, %i elements', (folder, head, parameters, elements) => {
  const { model, recipe, ...read } = readHuggingFaceConfig(configOf(folder), { head })
  const { totals } = planModel(model, recipe, { seed: 0 })
  expect(read.head).toBe(head)
  expect([totals.elementCount, totals.parameterCount]).toEqual([elements, parameters])
})

test('the table of models in docs/models.md', () => {
  const page = readFileSync(new URL('../../../../docs/models.md', import.meta.url), 'utf8')
  const rows = [
    ...page.matchAll(
      /^\| (\w+) +\| \[[^\]]+\]\(\.\.\/examples\/([^/]+)\/config\.json\) +\| (\w+) +\| +(\d+) \| +([\d,]+) \|$/gm,
    ),
  ]
  expect(rows.length).toBe(new Set(totals.map(([folder]) => folder)).size)
  for (const [, type, folder, head, parameters, elements] of rows) {
    const read = readHuggingFaceConfig(configOf(folder!))
    const plan = planModel(read.model, read.recipe, { seed: 0 }).totals
    expect([type, head, parameters, elements]).toEqual([
      read.architecture,
      read.head,
      String(plan.parameterCount),
      plan.elementCount.toLocaleString('en'),
    ])
  }
})

test('the examples name the class that their checkpoints hold', () => {
  const read = (folder: string) => readHuggingFaceConfig(configOf(folder))
  for (const [folder] of totals) expect(read(folder).head).toBe((configOf(folder).architectures as string[])[0])
  expect(read('llama-3.2-1b').model.parameters[0]).toMatchObject({ dtype: 'bfloat16' })
})

describe('names, shapes and facts', () => {
  const rows: readonly [folder: string, head: string, name: string, facts: object][] = [
    ['llama-3.2-1b', 'LlamaForCausalLM', 'model.embed_tokens.weight', { shape: [128256, 2048], role: 'embedding' }],
    ['llama-3.2-1b', 'LlamaForCausalLM', 'model.layers.15.self_attn.k_proj.weight', { shape: [512, 2048] }],
    ['llama-3.2-1b', 'LlamaForCausalLM', 'model.layers.0.mlp.down_proj.weight', { shape: [2048, 8192] }],
    ['llama-3.2-1b', 'LlamaModel', 'norm.weight', { shape: [2048], role: 'norm-scale' }],
    ['mistral-7b', 'MistralForCausalLM', 'lm_head.weight', { shape: [32000, 4096], role: 'weight' }],
    ['mistral-7b', 'MistralForCausalLM', 'model.layers.31.self_attn.v_proj.weight', { shape: [1024, 4096] }],
    ['qwen2-0.5b', 'Qwen2ForCausalLM', 'model.layers.0.self_attn.k_proj.bias', { shape: [128], role: 'bias' }],
    ['qwen2-0.5b', 'Qwen2ForCausalLM', 'model.layers.0.self_attn.q_proj.bias', { shape: [896], role: 'bias' }],
    ['qwen3-0.6b', 'Qwen3ForCausalLM', 'model.layers.0.self_attn.q_norm.weight', { shape: [128], role: 'norm-scale' }],
    ['qwen3-0.6b', 'Qwen3ForCausalLM', 'model.layers.0.self_attn.o_proj.weight', { shape: [1024, 2048] }],
    ['gemma-2b', 'GemmaForCausalLM', 'model.embed_tokens.weight', { shape: [256000, 2048], paddingIndex: 0 }],
    ['gemma-2b', 'GemmaForCausalLM', 'model.layers.17.self_attn.k_proj.weight', { shape: [256, 2048] }],
    ['bert-base-uncased', 'BertForMaskedLM', 'bert.embeddings.word_embeddings.weight', { paddingIndex: 0 }],
    [
      'bert-base-uncased',
      'BertForMaskedLM',
      'bert.encoder.layer.11.attention.self.query.weight',
      { shape: [768, 768] },
    ],
    ['bert-base-uncased', 'BertForMaskedLM', 'cls.predictions.bias', { shape: [30522], role: 'bias' }],
    ['bert-base-uncased', 'BertForMaskedLM', 'cls.predictions.transform.LayerNorm.weight', { role: 'norm-scale' }],
    ['bert-base-uncased', 'BertForPreTraining', 'bert.pooler.dense.weight', { shape: [768, 768] }],
    ['bert-base-uncased', 'BertForPreTraining', 'cls.seq_relationship.weight', { shape: [2, 768] }],
    ['bert-base-uncased', 'BertForSequenceClassification', 'classifier.weight', { shape: [2, 768] }],
    ['bert-base-uncased', 'BertForQuestionAnswering', 'qa_outputs.bias', { shape: [2] }],
    ['roberta-base', 'RobertaForMaskedLM', 'roberta.embeddings.position_embeddings.weight', { paddingIndex: 1 }],
    ['roberta-base', 'RobertaForMaskedLM', 'lm_head.layer_norm.bias', { shape: [768], role: 'norm-bias' }],
    ['roberta-base', 'RobertaForSequenceClassification', 'classifier.out_proj.weight', { shape: [2, 768] }],
    [
      'distilbert-base-uncased',
      'DistilBertForMaskedLM',
      'distilbert.transformer.layer.5.ffn.lin1.weight',
      { shape: [3072, 768] },
    ],
    ['distilbert-base-uncased', 'DistilBertForMaskedLM', 'vocab_projector.bias', { shape: [30522] }],
    ['distilbert-base-uncased', 'DistilBertForSequenceClassification', 'pre_classifier.weight', { shape: [768, 768] }],
    ['vit-base-patch16-224', 'ViTForImageClassification', 'vit.embeddings.cls_token', { shape: [1, 1, 768] }],
    [
      'vit-base-patch16-224',
      'ViTForImageClassification',
      'vit.embeddings.position_embeddings',
      { shape: [1, 197, 768] },
    ],
    [
      'vit-base-patch16-224',
      'ViTForImageClassification',
      'vit.embeddings.patch_embeddings.projection.weight',
      { shape: [768, 3, 16, 16] },
    ],
    ['vit-base-patch16-224', 'ViTForImageClassification', 'vit.layers.0.attention.k_proj.bias', { shape: [768] }],
    [
      'vit-base-patch16-224',
      'ViTForImageClassification',
      'vit.layers.11.layernorm_after.weight',
      { role: 'norm-scale' },
    ],
    ['vit-base-patch16-224', 'ViTForImageClassification', 'classifier.weight', { shape: [1000, 768] }],
    [
      'deit-base-distilled',
      'DeiTForImageClassificationWithTeacher',
      'deit.embeddings.position_embeddings',
      { shape: [1, 198, 768] },
    ],
    ['deit-base-distilled', 'DeiTForImageClassificationWithTeacher', 'distillation_classifier.bias', { shape: [1000] }],
    ['t5-small', 'T5ForConditionalGeneration', 'shared.weight', { shape: [32128, 512], role: 'embedding' }],
    [
      't5-small',
      'T5ForConditionalGeneration',
      'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight',
      { shape: [32, 8] },
    ],
    [
      't5-small',
      'T5ForConditionalGeneration',
      'decoder.block.5.layer.1.EncDecAttention.o.weight',
      { shape: [512, 512] },
    ],
    [
      't5-small',
      'T5ForConditionalGeneration',
      'decoder.block.0.layer.2.DenseReluDense.wo.weight',
      { shape: [512, 2048] },
    ],
    [
      't5-v1_1-small',
      'T5ForConditionalGeneration',
      'encoder.block.0.layer.1.DenseReluDense.wi_1.weight',
      { shape: [1024, 512] },
    ],
  ]
  test.each(rows)('%s %s: %s', (folder, head, name, facts) => {
    const { model } = readHuggingFaceConfig(configOf(folder), { head })
    expect(model.parameters.find((p) => p.name === name)).toMatchObject(facts)
  })

  test.each([
    ['qwen2-0.5b', 'self_attn.o_proj.bias'],
    ['qwen3-0.6b', 'self_attn.q_proj.bias'],
    ['t5-small', 'decoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight'],
    ['t5-small', 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight'],
    ['bert-base-uncased', 'pooler'],
  ])('%s has no %s', (folder, part) => {
    const names = readHuggingFaceConfig(configOf(folder)).model.parameters.map(({ name }) => name)
    expect(names.filter((name) => name.includes(part))).toEqual([])
  })
})

test('tied parameters', () => {
  const tied = (folder: string, head?: string) =>
    readHuggingFaceConfig(configOf(folder), head === undefined ? {} : { head }).tied
  expect(tied('llama-3.2-1b')).toEqual({ 'lm_head.weight': 'model.embed_tokens.weight' })
  expect(tied('llama-3.2-1b', 'LlamaModel')).toEqual({})
  expect(tied('mistral-7b')).toEqual({})
  expect(tied('gemma-2b')).toEqual({ 'lm_head.weight': 'model.embed_tokens.weight' })
  expect(tied('bert-base-uncased')).toEqual({
    'cls.predictions.decoder.weight': 'bert.embeddings.word_embeddings.weight',
    'cls.predictions.decoder.bias': 'cls.predictions.bias',
  })
  expect(tied('distilbert-base-uncased')).toEqual({
    'vocab_projector.weight': 'distilbert.embeddings.word_embeddings.weight',
  })
  expect(tied('t5-small')).toEqual({
    'encoder.embed_tokens.weight': 'shared.weight',
    'decoder.embed_tokens.weight': 'shared.weight',
    'lm_head.weight': 'shared.weight',
  })
  expect(tied('t5-v1_1-small')).toEqual(tied('t5-small'))
})

test('a tied parameter names one that is there, and is not listed itself', () => {
  for (const [type, heads] of Object.entries(huggingFaceArchitectures())) {
    for (const head of heads) {
      const { model, tied } = readHuggingFaceConfig({ model_type: type, ...small }, { head })
      const names = new Set(model.parameters.map(({ name }) => name))
      for (const [name, target] of Object.entries(tied)) {
        expect([head, name, names.has(name), names.has(target)]).toEqual([head, name, false, true])
      }
    }
  }
})

/** One layer of everything, so that every class is quick to read. */
const small = {
  n_layer: 1,
  num_hidden_layers: 1,
  num_layers: 1,
  n_layers: 1,
  encoder_layers: 1,
  decoder_layers: 1,
}

test('every class of every architecture is planned by its recipe', () => {
  for (const [type, heads] of Object.entries(huggingFaceArchitectures())) {
    for (const head of heads) {
      const read = readHuggingFaceConfig({ model_type: type, architectures: [head], ...small })
      const plan = planModel(read.model, read.recipe, { seed: 1 })
      expect(plan.parameters.length).toBeGreaterThan(10)
      // Every rule that chose says where it comes from, and the recipe is data.
      for (const { rule } of plan.parameters) expect(rule.citation).toMatch(/transformers modeling_/)
      expect(JSON.parse(JSON.stringify(read.recipe))).toEqual(read.recipe)
    }
  }
})

test('a CLIP tower alone: flat config or part of both', () => {
  const tower = {
    hidden_size: 16,
    num_attention_heads: 2,
    num_hidden_layers: 1,
    intermediate_size: 8,
    projection_dim: 5,
  }
  const flat = readHuggingFaceConfig({ model_type: 'clip_text_model', ...tower })
  expect(flat.head).toBe('CLIPTextModel')
  const head = 'CLIPTextModelWithProjection'
  const projected = readHuggingFaceConfig({ model_type: 'clip', text_config: tower }, { head })
  // A tower alone has no prefix in transformers 5, and the one of version 4 always.
  const prefixed = flat.model.parameters.map((spec) => ({ ...spec, name: `text_model.${spec.name}` }))
  expect(projected.model.parameters.slice(0, -1)).toEqual(prefixed)
  const old = readHuggingFaceConfig({ model_type: 'clip_text_model', ...tower }, { transformers: 4 })
  expect(old.model.parameters).toEqual(prefixed)
  const stds = ({ model, recipe }: typeof flat) =>
    planModel(model, recipe, { seed: 1 }).parameters.map(({ expected }) => expected.std)
  expect(stds(flat)).toEqual(stds(old))
  expect(projected.model.parameters.at(-1)).toMatchObject({ name: 'text_projection.weight', shape: [5, 16] })
})

test('a real checkpoint’s index: names of a layer, and all bytes', () => {
  // model.safetensors.index.json of gsasouza/dolphin3-mistral at a3b1939: Mistral Small 24B with two more tokens. Its heads are
  // narrower than hidden_size / num_attention_heads.
  const config = {
    model_type: 'mistral',
    architectures: ['MistralForCausalLM'],
    hidden_size: 5120,
    head_dim: 128,
    intermediate_size: 32768,
    num_attention_heads: 32,
    num_hidden_layers: 40,
    num_key_value_heads: 8,
    torch_dtype: 'bfloat16',
    vocab_size: 131074,
  }
  const { model, recipe } = readHuggingFaceConfig(config)
  expect(planModel(model, recipe, { seed: 1 }).totals.byteLength).toBe(47_144_847_360)
  const names = model.parameters.map(({ name }) => name)
  expect(
    names
      .filter((name) => name.startsWith('model.layers.28.'))
      .map((name) => name.slice(16))
      .sort(),
  ).toEqual([
    'input_layernorm.weight',
    'mlp.down_proj.weight',
    'mlp.gate_proj.weight',
    'mlp.up_proj.weight',
    'post_attention_layernorm.weight',
    'self_attn.k_proj.weight',
    'self_attn.o_proj.weight',
    'self_attn.q_proj.weight',
    'self_attn.v_proj.weight',
  ])
  expect(names.filter((name) => !name.includes('.layers.'))).toEqual([
    'model.embed_tokens.weight',
    'model.norm.weight',
    'lm_head.weight',
  ])
})

test('num_key_value_heads: absent is the class’s default, null as many as heads', () => {
  const rows = (config: object) =>
    readHuggingFaceConfig({ model_type: 'mistral', num_hidden_layers: 1, ...config }).model.parameters[2]?.shape
  expect(rows({})).toEqual([1024, 4096])
  expect(rows({ num_key_value_heads: null })).toEqual([4096, 4096])
  expect(rows({ num_key_value_heads: 2 })).toEqual([256, 4096])
})

test('labels come from num_labels, else from id2label', () => {
  const base = { model_type: 'vit', architectures: ['ViTForImageClassification'], num_hidden_layers: 1 }
  const rows = (config: object) =>
    readHuggingFaceConfig({ ...base, ...config }).model.parameters.find(({ name }) => name === 'classifier.weight')
      ?.shape[0]
  expect(rows({})).toBe(2)
  expect(rows({ num_labels: 7 })).toBe(7)
  expect(rows({ id2label: { 0: 'cat', 1: 'dog', 2: 'bird' } })).toBe(3)
})

describe('configs that are refused', () => {
  test.each<[string, object, string[]]>([
    ['heads that do not divide', { model_type: 'bert', num_attention_heads: 7 }, ['hidden_size', '768', '7']],
    ['llama heads that do not divide', { model_type: 'llama', hidden_size: 100, num_attention_heads: 7 }, ['100', '7']],
    ['key/value heads', { model_type: 'llama', num_key_value_heads: 5 }, ['num_key_value_heads', '5', '32']],
    [
      'relative positions',
      { model_type: 'bert', position_embedding_type: 'relative_key' },
      ['position_embedding_type', 'relative_key', 'defineModel'],
    ],
    ['cross attention', { model_type: 'gpt2', add_cross_attention: true }, ['add_cross_attention']],
    ['sinusoids of DistilBERT', { model_type: 'distilbert', sinusoidal_pos_embds: true }, ['sinusoidal_pos_embds']],
    ['padding past the table', { model_type: 'bert', pad_token_id: 30522 }, ['pad_token_id', '30522']],
    [
      'a boolean as text',
      { model_type: 'llama', architectures: ['LlamaForCausalLM'], tie_word_embeddings: 'yes' },
      ['tie_word_embeddings', '"yes"'],
    ],
    ['a feed-forward that is no text', { model_type: 't5', feed_forward_proj: 3 }, ['feed_forward_proj', '3']],
    ['a patch larger than the image', { model_type: 'vit', image_size: 8 }, ['image_size', 'patch_size']],
    ['three image sides', { model_type: 'vit', image_size: [1, 2, 3] }, ['image_size', '[1,2,3]']],
    [
      'labels in a list',
      { model_type: 'vit', architectures: ['ViTForImageClassification'], id2label: ['a'] },
      ['id2label'],
    ],
    [
      'another head',
      { model_type: 'llama', architectures: ['LlamaForQuestionAnswering'] },
      ['LlamaForQuestionAnswering', 'LlamaForCausalLM', 'head'],
    ],
    [
      'architectures of another family',
      { model_type: 'llama', architectures: ['BertModel'] },
      ['BertModel', 'LlamaModel'],
    ],
    ['a head that is no name', { model_type: 'llama', architectures: [{}] }, ['{}', 'LlamaModel']],
    ['too many layers', { model_type: 'llama', num_hidden_layers: 10001 }, ['num_hidden_layers', '10001', '10000']],
  ])('%s', async (_, config, fragments) => {
    await expectRefusal(() => readHuggingFaceConfig(config), 'INVALID_FILE', 'config.json', ...fragments)
  })

  test('option head of another family', async () => {
    await expectRefusal(
      () => readHuggingFaceConfig({ model_type: 't5' }, { head: 'BertModel' }),
      'INVALID_FILE',
      'head "BertModel"',
      'T5Model',
    )
  })
})
