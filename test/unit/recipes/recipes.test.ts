// Every recipe against the rules of the library or paper it cites: the distribution of chosen parameters, worked out here.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as library from '../../../src/index.js'
import { planModel, readHuggingFaceConfig, recipes, resnet } from '../../../src/index.js'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { expectRefusal } from '../../support/refusal.js'

type Distribution = Readonly<Record<string, unknown>>
const normal = (std: number): Distribution => ({ kind: 'normal', mean: 0, std: expect.closeTo(std, 12) })
const uniform = (bound: number): Distribution => ({
  kind: 'uniform',
  low: expect.closeTo(-bound, 12),
  high: expect.closeTo(bound, 12),
})
const constant = (value: number): Distribution => ({ kind: 'constant', value })
/** trunc_normal_ with its absolute bounds. */
const cut = (std: number): Distribution => ({ kind: 'truncated-normal', mean: 0, std, low: -2, high: 2 })
/** JAX's truncated normal of standard deviation `std`. */
const corrected = (std: number): Distribution => ({
  kind: 'truncated-normal',
  mean: 0,
  std: expect.closeTo(std / 0.8796256610342398, 12),
  low: expect.closeTo((-2 * std) / 0.8796256610342398, 12),
  high: expect.closeTo((2 * std) / 0.8796256610342398, 12),
})

describe('of a config', () => {
  // By hand from the widths of the model: t5-small d_model 512, d_kv 64, 8 heads, d_ff 2048; CLIP 512 and 768, 12 layers.
  const rows: readonly [folder: string, name: string, distribution: Distribution][] = [
    ['gpt2', 'transformer.wte.weight', normal(0.02)],
    ['gpt2', 'transformer.h.3.attn.c_proj.weight', normal(0.004082482904638631)],
    ['gpt2', 'transformer.h.3.mlp.c_fc.bias', constant(0)],
    ['llama-3.2-1b', 'model.layers.7.self_attn.q_proj.weight', normal(0.02)],
    ['llama-3.2-1b', 'model.embed_tokens.weight', normal(0.02)],
    ['llama-3.2-1b', 'model.norm.weight', constant(1)],
    ['mistral-7b', 'lm_head.weight', normal(0.02)],
    ['qwen2-0.5b', 'model.layers.0.self_attn.k_proj.bias', constant(0)],
    ['qwen3-0.6b', 'model.layers.0.self_attn.k_norm.weight', constant(1)],
    ['gemma-2b', 'model.layers.0.input_layernorm.weight', constant(0)],
    ['gemma-2b', 'model.layers.0.mlp.up_proj.weight', normal(0.02)],
    ['bert-base-uncased', 'bert.encoder.layer.2.output.LayerNorm.weight', constant(1)],
    ['bert-base-uncased', 'bert.encoder.layer.2.output.LayerNorm.bias', constant(0)],
    ['bert-base-uncased', 'bert.embeddings.token_type_embeddings.weight', normal(0.02)],
    ['bert-base-uncased', 'cls.predictions.bias', constant(0)],
    ['roberta-base', 'lm_head.dense.weight', normal(0.02)],
    ['distilbert-base-uncased', 'distilbert.transformer.layer.0.ffn.lin2.weight', normal(0.02)],
    ['vit-base-patch16-224', 'vit.embeddings.patch_embeddings.projection.weight', normal(0.02)],
    ['vit-base-patch16-224', 'vit.embeddings.position_embeddings', cut(0.02)],
    ['vit-base-patch16-224', 'vit.embeddings.cls_token', cut(0.02)],
    ['vit-base-patch16-224', 'classifier.bias', constant(0)],
    ['deit-base-distilled', 'deit.embeddings.position_embeddings', constant(0)],
    ['deit-base-distilled', 'deit.embeddings.distillation_token', constant(0)],
    ['deit-base-distilled', 'deit.layers.0.mlp.fc1.weight', normal(0.02)],
    ['t5-small', 'shared.weight', normal(1)],
    ['t5-small', 'encoder.block.1.layer.0.SelfAttention.q.weight', normal(0.005524271728019903)],
    ['t5-small', 'encoder.block.1.layer.0.SelfAttention.k.weight', normal(0.04419417382415922)],
    ['t5-small', 'decoder.block.1.layer.1.EncDecAttention.q.weight', normal(0.005524271728019903)],
    ['t5-small', 'decoder.block.1.layer.1.EncDecAttention.v.weight', normal(0.04419417382415922)],
    ['t5-small', 'decoder.block.1.layer.1.EncDecAttention.o.weight', normal(0.04419417382415922)],
    ['t5-small', 'decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight', normal(0.04419417382415922)],
    ['t5-small', 'encoder.block.0.layer.1.DenseReluDense.wi.weight', normal(0.04419417382415922)],
    ['t5-small', 'encoder.block.0.layer.1.DenseReluDense.wo.weight', normal(0.02209708691207961)],
    ['t5-small', 'encoder.final_layer_norm.weight', constant(1)],
    // 6 heads of 64: 384.
    ['t5-v1_1-small', 'encoder.block.0.layer.0.SelfAttention.o.weight', normal(0.05103103630798288)],
    ['t5-v1_1-small', 'encoder.block.0.layer.1.DenseReluDense.wi_0.weight', normal(0.04419417382415922)],
    ['t5-v1_1-small', 'encoder.block.0.layer.1.DenseReluDense.wo.weight', normal(0.03125)],
    ['whisper-tiny', 'model.encoder.conv1.weight', normal(0.02)],
    [
      'whisper-tiny',
      'model.encoder.embed_positions.weight',
      { kind: 'sinusoid', rows: 1500, columns: 384, maxTimescale: 10000, arrangement: 'halves' },
    ],
    ['whisper-tiny', 'model.decoder.embed_positions.weight', normal(0.02)],
    ['whisper-tiny', 'model.decoder.layers.0.encoder_attn.k_proj.weight', normal(0.02)],
    ['clip-vit-base-patch32', 'logit_scale', constant(2.6592)],
    ['clip-vit-base-patch32', 'text_projection.weight', normal(0.04419417382415922)],
    ['clip-vit-base-patch32', 'visual_projection.weight', normal(0.036084391824351615)],
    ['clip-vit-base-patch32', 'text_model.embeddings.token_embedding.weight', normal(0.02)],
    // 1 / sqrt(512 * 24), 1 / sqrt(768 * 24)
    ['clip-vit-base-patch32', 'text_model.encoder.layers.0.self_attn.k_proj.weight', normal(0.0090210979560879)],
    ['clip-vit-base-patch32', 'vision_model.encoder.layers.0.self_attn.q_proj.weight', normal(0.00736569563735987)],
    ['clip-vit-base-patch32', 'vision_model.encoder.layers.0.mlp.fc2.weight', normal(0.00736569563735987)],
    ['clip-vit-base-patch32', 'text_model.encoder.layers.0.self_attn.out_proj.weight', normal(0.04419417382415922)],
    ['clip-vit-base-patch32', 'text_model.encoder.layers.0.mlp.fc1.weight', normal(0.03125)],
    ['clip-vit-base-patch32', 'vision_model.encoder.layers.0.mlp.fc1.weight', normal(0.025515518153991442)],
    ['clip-vit-base-patch32', 'vision_model.embeddings.class_embedding', normal(0.036084391824351615)],
    ['clip-vit-base-patch32', 'vision_model.embeddings.patch_embedding.weight', normal(0.02)],
    ['clip-vit-base-patch32', 'vision_model.embeddings.position_embedding.weight', normal(0.02)],
    ['clip-vit-base-patch32', 'vision_model.pre_layrnorm.weight', constant(1)],
  ]
  const plans = new Map<string, ReturnType<typeof planModel>>()
  const planOf = (folder: string) => {
    const known = plans.get(folder)
    if (known !== undefined) return known
    const text = readFileSync(new URL(`../../../examples/${folder}/config.json`, import.meta.url), 'utf8')
    const { model, recipe } = readHuggingFaceConfig(JSON.parse(text))
    const plan = planModel(model, recipe, { seed: 1 })
    plans.set(folder, plan)
    return plan
  }
  test.each(rows)('%s %s', (folder, name, distribution) => {
    expect(planOf(folder).parameters.find((p) => p.name === name)?.distribution).toEqual(distribution)
  })

  test('factors and ranges come from the config', () => {
    const std = (config: object, name: string) => {
      const { model, recipe } = readHuggingFaceConfig(config)
      const { parameters } = planModel(model, recipe, { seed: 1 })
      return parameters.find((p) => p.name === name)?.expected.std
    }
    const t5 = { model_type: 't5', initializer_factor: 0.05, num_layers: 1, d_model: 100, d_ff: 400 }
    expect(std(t5, 'shared.weight')).toBe(0.05)
    expect(std(t5, 'encoder.block.0.layer.1.DenseReluDense.wi.weight')).toBeCloseTo(0.005, 12)
    expect(std(t5, 'encoder.block.0.layer.1.DenseReluDense.wo.weight')).toBeCloseTo(0.0025, 12)
    expect(std({ model_type: 'llama', initializer_range: 0.006, num_hidden_layers: 1 }, 'embed_tokens.weight')).toBe(
      0.006,
    )
    const tower = { hidden_size: 16, num_attention_heads: 1, num_hidden_layers: 1, initializer_factor: 2 }
    const clip = { model_type: 'clip', architectures: ['CLIPModel'], initializer_factor: 3, text_config: tower }
    expect(std(clip, 'text_projection.weight')).toBeCloseTo(0.75, 12)
    expect(std(clip, 'text_model.encoder.layers.0.self_attn.out_proj.weight')).toBeCloseTo(0.5, 12)
  })
})

describe('alone', () => {
  const weight = (name: string, shape: number[], facts: Partial<ParameterSpec> = {}): ParameterSpec => ({
    name,
    shape,
    ...facts,
  })
  const conv = weight('layer1.0.conv2.weight', [64, 32, 3, 3])
  const dense = weight('a.weight', [10, 25])
  const denseBias = weight('a.bias', [10])
  const table = weight('e.weight', [100, 16], { role: 'embedding' })
  const rows: readonly [recipe: string, settings: object, spec: ParameterSpec, distribution: Distribution][] = [
    ['nanogpt', { layers: 8 }, weight('transformer.h.0.mlp.c_proj.weight', [8, 32]), normal(0.005)],
    ['nanogpt', { layers: 8 }, weight('transformer.h.0.attn.c_attn.weight', [24, 8]), normal(0.02)],
    ['resnet', {}, conv, normal(Math.sqrt(2 / 576))],
    ['resnet', {}, weight('bn1.weight', [64]), constant(1)],
    ['resnet', {}, weight('layer1.0.bn3.weight', [64]), constant(1)],
    ['resnet', { zeroInitResidual: true }, weight('layer1.0.bn3.weight', [64]), constant(0)],
    ['resnet', { zeroInitResidual: true }, weight('layer1.0.bn2.weight', [64]), constant(1)],
    ['resnet', { zeroInitResidual: true, block: 'basic' }, weight('layer1.0.bn2.weight', [64]), constant(0)],
    ['resnet', {}, weight('fc.weight', [1000, 400]), uniform(0.05)],
    ['resnet', {}, weight('bn1.running_var', [64], { role: 'buffer' }), constant(1)],
    ['resnet', {}, weight('bn1.running_mean', [64], { role: 'buffer' }), constant(0)],
    ['mobilenetV3', {}, weight('features.0.0.weight', [16, 3, 3, 3]), normal(Math.sqrt(2 / 144))],
    ['mobilenetV3', {}, weight('classifier.3.weight', [1000, 1024]), normal(0.01)],
    ['mobilenetV3', {}, weight('classifier.3.bias', [1000]), constant(0)],
    ['kerasDefault', {}, dense, uniform(Math.sqrt(6 / 35))],
    ['kerasDefault', {}, denseBias, constant(0)],
    ['kerasDefault', {}, table, uniform(0.05)],
    ['kerasDefault', {}, weight('bn.moving_variance', [8], { role: 'buffer' }), constant(1)],
    [
      'kerasDefault',
      {},
      weight('lstm.recurrent_kernel', [8, 32], { layout: 'in-out' }),
      expect.objectContaining({ kind: 'orthogonal', gain: 1 }),
    ],
    ['torchDefault', {}, dense, uniform(0.2)],
    ['torchDefault', {}, table, normal(1)],
    ['torchDefault', {}, weight('bn.running_var', [8], { role: 'buffer' }), constant(1)],
    ['flaxDefault', {}, weight('Dense_0.kernel', [25, 10], { layout: 'in-out' }), corrected(0.2)],
    ['flaxDefault', {}, table, normal(0.25)],
    ['flaxDefault', {}, weight('LSTM.hi.kernel', [8, 8]), expect.objectContaining({ kind: 'orthogonal' })],
    // Four times as wide: hidden 1 / 2, output 1 / 4, embeddings as they were.
    ['muP', { baseWidth: 256, width: 1024 }, weight('h.0.weight', [1024, 1024]), normal(0.01)],
    ['muP', { baseWidth: 256, width: 1024 }, weight('lm_head.weight', [50, 1024]), normal(0.005)],
    [
      'muP',
      { baseWidth: 256, width: 1024, outputMultiplier: true },
      weight('lm_head.weight', [50, 1024]),
      normal(0.02),
    ],
    ['muP', { baseWidth: 256, width: 1024, zeroOutput: true }, weight('lm_head.weight', [50, 1024]), constant(0)],
    ['muP', { baseWidth: 256, width: 1024, output: 'out.*' }, weight('out.weight', [50, 1024]), normal(0.005)],
    ['muP', { baseWidth: 256, width: 1024, std: 0.1 }, table, normal(0.1)],
    ['siren', {}, weight('net.0.linear.weight', [256, 2]), uniform(0.5)],
    ['siren', {}, weight('net.1.linear.weight', [256, 256]), uniform(Math.sqrt(6 / 256) / 30)],
    ['siren', { omega: 15, first: 'x' }, weight('0.weight', [256, 6]), uniform(1 / 15)],
    ['lora', {}, weight('q_proj.lora_A.default.weight', [8, 100]), uniform(0.1)],
    ['lora', {}, weight('q_proj.lora_B.default.weight', [100, 8]), constant(0)],
    ['lora', {}, weight('wte.lora_embedding_A.default', [8, 100]), constant(0)],
    ['lora', {}, weight('wte.lora_embedding_B.default', [100, 8]), normal(1)],
    ['bert', { std: 0.05 }, table, normal(0.05)],
    ['roberta', { std: 0.05 }, dense, normal(0.05)],
    ['distilbert', { std: 0.05 }, dense, normal(0.05)],
    ['gemma', {}, weight('norm.weight', [8]), constant(0)],
    ['t5', { factor: 0.5 }, weight('final_layer_norm.weight', [8]), constant(0.5)],
  ]
  const call = (name: string, settings: object) =>
    (recipes as unknown as Record<string, (settings: object) => readonly library.RecipeRule[]>)[name]!(settings)

  test.each(rows)('%s %j: %j', (name, settings, spec, distribution) => {
    const [planned] = planModel({ parameters: [spec] }, call(name, settings), { seed: 1 }).parameters
    expect(planned?.distribution).toEqual(distribution)
    expect(planned?.rule.citation).toMatch(/\w/)
  })

  test('torchDefault takes a bias’s bound from the weight beside it', () => {
    const plan = planModel({ parameters: [dense, denseBias] }, recipes.torchDefault(), { seed: 1 })
    expect(plan.parameters[1]?.distribution).toEqual(uniform(0.2))
  })

  test('resnet leaves fc.bias to PyTorch’s Linear', () => {
    const plan = planModel(resnet(50), recipes.resnet({ zeroInitResidual: true }), { seed: 1 })
    const distribution = (parameter: string) => plan.parameters.find(({ name }) => name === parameter)?.distribution
    expect(distribution('fc.bias')).toEqual(uniform(1 / Math.sqrt(2048)))
    expect(distribution('layer4.2.bn3.weight')).toEqual(constant(0))
    expect(plan.parameters.filter(({ distribution: d }) => d.kind === 'constant' && d.value === 0)).toHaveLength(
      53 + 16,
    )
  })

  test('each is exported alone, as <name>Recipe, and is data', () => {
    const all = library as unknown as Record<string, unknown>
    const needed: Record<string, object> = { muP: { baseWidth: 1, width: 2 } }
    for (const [name, make] of Object.entries(recipes)) {
      expect(all[`${name}Recipe`]).toBe(make)
      const rules = call(name, needed[name] ?? {})
      expect(JSON.parse(JSON.stringify(rules))).toEqual(rules)
      for (const { citation } of rules) expect(citation.length).toBeGreaterThan(10)
    }
    expect(Object.keys(recipes)).toHaveLength(20)
  })

  test('rules before a recipe come first', () => {
    const model = { parameters: [dense, { name: 'b.weight', shape: [5, 5] }] }
    const plan = planModel(model, [{ match: 'a.*', initializer: 'zeros' }, ...recipes.llama()], { seed: 1 })
    expect(plan.parameters.map(({ distribution }) => distribution.kind)).toEqual(['constant', 'normal'])
    expect(plan.parameters[0]?.rule.citation).toBeUndefined()
    const skipped = [...recipes.lora(), { match: '*', initializer: 'skip' }]
    const adapters = planModel({ parameters: [dense, { name: 'x.lora_A', shape: [2, 25] }] }, skipped as never, {
      seed: 1,
    })
    expect(adapters.parameters.map(({ action }) => action)).toEqual(['skip', 'initialize'])
  })

  test.each<[string, object, string[]]>([
    ['nanogpt', { layers: 0 }, ['layers', '0']],
    ['llama', { std: -1 }, ['std', '-1']],
    ['llama', { std: '0.02' }, ['std', '"0.02"']],
    ['llama', { sd: 0.02 }, ['"sd"', 'std']],
    ['vit', { std: 0 }, ['std', '> 0', '0']],
    ['t5', { dModel: 1.5 }, ['dModel', '1.5']],
    ['clip', { text: { width: 0 } }, ['text', 'width', '0']],
    ['clip', { text: 5 }, ['text', '5']],
    ['resnet', { block: 'wide' }, ['block', '"wide"', 'bottleneck']],
    ['resnet', { zeroInitResidual: 1 }, ['zeroInitResidual', '1']],
    ['muP', { width: 5 }, ['baseWidth', 'undefined']],
    ['muP', { width: 5, baseWidth: 5, output: '' }, ['output', '""']],
    ['siren', { omega: 0 }, ['omega', '> 0']],
    ['lora', { r: 8 }, ['"r"']],
    ['torchDefault', null as unknown as object, ['null']],
  ])('%s %j is refused', async (name, settings, fragments) => {
    await expectRefusal(() => call(name, settings), 'INVALID_ARGUMENT', `${name}Recipe`, ...fragments)
  })

  test('a rule’s citation that is no text', async () => {
    const rules = [{ match: '*', initializer: 'zeros', citation: 5 }] as never
    await expectRefusal(
      () => planModel({ parameters: [dense] }, rules),
      'INVALID_ARGUMENT',
      'rules[0]',
      'citation',
      '5',
    )
  })
})
