// The role that a parameter's name and shape give it, and what a role gets from a model-wide initializer.
import { describe, expect, test } from 'vitest'
import type { ParameterRole } from '../../../src/ir/parameter.js'
import { inferRole } from '../../../src/model/validate.js'
import { planModel } from '../../../src/plan/plan.js'

/** Names as real checkpoints have them. */
const table: [name: string, shape: number[], role: ParameterRole][] = [
  // torchvision's ResNet
  ['conv1.weight', [64, 3, 7, 7], 'weight'],
  ['bn1.weight', [64], 'norm-scale'],
  ['bn1.bias', [64], 'norm-bias'],
  ['bn1.running_mean', [64], 'buffer'],
  ['bn1.running_var', [64], 'buffer'],
  ['bn1.num_batches_tracked', [], 'buffer'],
  ['layer2.0.downsample.0.weight', [128, 64, 1, 1], 'weight'],
  ['layer2.0.downsample.1.weight', [128], 'norm-scale'],
  ['layer2.0.downsample.1.bias', [128], 'bias'],
  ['layer2.0.downsample.1.running_var', [128], 'buffer'],
  ['fc.weight', [1000, 2048], 'weight'],
  ['fc.bias', [1000], 'bias'],
  // Hugging Face: BERT, GPT-2, Llama, ViT
  ['bert.embeddings.LayerNorm.weight', [768], 'norm-scale'],
  ['bert.embeddings.LayerNorm.bias', [768], 'norm-bias'],
  ['bert.embeddings.LayerNorm.gamma', [768], 'norm-scale'],
  ['bert.embeddings.LayerNorm.beta', [768], 'norm-bias'],
  ['bert.encoder.layer.0.attention.self.query.weight', [768, 768], 'weight'],
  ['bert.encoder.layer.0.attention.self.query.bias', [768], 'bias'],
  ['transformer.h.0.ln_1.weight', [768], 'norm-scale'],
  ['transformer.h.0.ln_1.bias', [768], 'norm-bias'],
  ['transformer.h.0.attn.c_attn.bias', [2304], 'bias'],
  ['transformer.ln_f.weight', [768], 'norm-scale'],
  ['transformer.ln_f.bias', [768], 'norm-bias'],
  ['model.layers.0.input_layernorm.weight', [4096], 'norm-scale'],
  ['model.layers.0.post_attention_layernorm.weight', [4096], 'norm-scale'],
  ['model.norm.weight', [4096], 'norm-scale'],
  ['vit.layernorm.bias', [768], 'norm-bias'],
  ['encoder.layer_norm.bias', [512], 'norm-bias'],
  ['blocks.0.norm2.bias', [96], 'norm-bias'],
  ['visual.ln_post.bias', [512], 'norm-bias'],
  ['decoder.group_norm.bias', [32], 'norm-bias'],
  // Flax
  ['params.LayerNorm_0.scale', [64], 'norm-scale'],
  ['params.LayerNorm_0.bias', [64], 'norm-bias'],
  ['params.BatchNorm_3.scale', [64], 'norm-scale'],
  ['params.Dense_0.kernel', [64, 10], 'weight'],
  ['params.Dense_0.bias', [10], 'bias'],
  // Scalars and vectors that scale nothing that is normalised
  ['logit_scale', [], 'unknown'],
  ['class_embedding', [768], 'unknown'],
  ['block.gamma_1', [768], 'unknown'],
  ['act.weight', [1], 'scale'],
  ['layer_norm/gamma:0', [8], 'norm-scale'],
  ['bn/moving_variance:0', [8], 'buffer'],
  ['slope', [8, 1, 1], 'unknown'],
  ['fc.weight', [1, 8], 'weight'],
  ['linear.bias', [3], 'bias'],
  ['alnum.bias', [3], 'bias'],
  ['bias', [3], 'bias'],
  // Any name
  ['w', [2, 2], 'weight'],
  ['重み', [2, 2], 'weight'],
]

test.each(table)('%s %j is %s', (name, shape, role) => {
  expect(inferRole(name, shape)).toBe(role)
})

test('a role that is given is not inferred', () => {
  const parameters = [{ name: 'wte.weight', shape: [5, 2], role: 'embedding' as const }]
  expect(planModel({ parameters }, 'normal', {}, { seed: 0 }).parameters[0]?.role).toBe('embedding')
})

describe('what a role gets from a model-wide initializer', () => {
  const plan = (name: string, shape: number[], role?: ParameterRole) =>
    planModel(
      { parameters: [{ name, shape, ...(role === undefined ? {} : { role }) }] },
      'normal',
      { std: 0.5 },
      { seed: 0 },
    ).parameters[0]!

  test.each<[ParameterRole, number[], object]>([
    ['weight', [2, 2], { kind: 'normal', mean: 0, std: 0.5 }],
    ['weight', [2], { kind: 'normal', mean: 0, std: 0.5 }],
    ['embedding', [2, 2], { kind: 'normal', mean: 0, std: 0.5 }],
    ['bias', [2], { kind: 'constant', value: 0 }],
    ['bias', [2, 2], { kind: 'constant', value: 0 }],
    ['norm-bias', [2], { kind: 'constant', value: 0 }],
    ['norm-scale', [2], { kind: 'constant', value: 1 }],
    ['norm-scale', [2, 2], { kind: 'constant', value: 1 }],
  ])('%s %j', (role, shape, distribution) => {
    expect(plan('p', shape, role).distribution).toEqual(distribution)
    expect(plan('p', shape, role).role).toBe(role)
  })

  test.each([
    ['bn.running_mean', 0],
    ['bn.running_var', 1],
    ['running_var', 1],
    ['bn.num_batches_tracked', 0],
  ])('the buffer %s starts as PyTorch starts it', (name, value) => {
    expect(plan(name, [4]).distribution).toEqual({ kind: 'constant', value })
  })
})
