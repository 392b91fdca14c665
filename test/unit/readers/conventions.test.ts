// What a checkpoint's names say: each library's convention, what is only a guess, and what is unknown and therefore refused.
import { describe, expect, test } from 'vitest'
import { diagnosePlan, planModel, readSafetensorsModel, recipes } from '../../../src/index.js'
import type { InitializerRule } from '../../../src/initializers/rules.js'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { planEveryParameter } from '../../../src/plan/lint.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { parseSafetensorsHeader } from '../../../src/readers/safetensors-header.js'
import { expectRefusal } from '../../support/refusal.js'

type Table = Readonly<Record<string, readonly number[]>>
function read(table: Table) {
  const entries = Object.entries(table).map(([name, shape]) => ({ name, shape, dtype: 'float32' as const }))
  const { header, byteLength } = layoutSafetensors(entries)
  return readSafetensorsModel(parseSafetensorsHeader(header, byteLength))
}
function factsOf(table: Table, name: string): Partial<ParameterSpec> & { guessed: boolean } {
  const { model, guesses } = read(table)
  const { name: _, shape: __, dtype: ___, ...facts } = model.parameters.find((p) => p.name === name)!
  return { ...facts, guessed: guesses.some((guess) => guess.name === name) }
}

describe('conventions', () => {
  test.each<[what: string, table: Table, name: string, facts: object]>([
    ['ConvNeXt’s layer scale', { 'blocks.0.gamma': [96] }, 'blocks.0.gamma', { role: 'scale', guessed: true }],
    ['BEiT’s layer scale', { 'block.gamma_1': [96] }, 'block.gamma_1', { role: 'scale', guessed: true }],
    [
      'DINOv2’s layer scale',
      { 'layer_scale1.lambda1': [96] },
      'layer_scale1.lambda1',
      { role: 'scale', guessed: true },
    ],
    ['timm’s LayerScale', { 'blocks.0.ls1.gamma': [96] }, 'blocks.0.ls1.gamma', { role: 'scale', guessed: true }],
    ['MetaFormer’s', { 'res_scale2.scale': [96] }, 'res_scale2.scale', { role: 'scale', guessed: true }],
    ['ReZero’s alpha', { 'block.alpha': [1] }, 'block.alpha', { role: 'scale', guessed: true }],
    [
      'CLIP’s logit scale',
      { logit_scale: [] },
      'logit_scale',
      { role: 'scale', initial: Math.log(1 / 0.07), guessed: false },
    ],
    [
      'Swin v2’s logit scale',
      { 'attn.logit_scale': [4, 1, 1], 'attn.qkv.weight': [96, 32] },
      'attn.logit_scale',
      { role: 'scale', initial: Math.log(10), guessed: false },
    ],
    [
      'NFNet’s gain',
      { 'conv1.weight': [8, 4, 3, 3], 'conv1.gain': [8, 1, 1, 1] },
      'conv1.gain',
      { role: 'scale', initial: 1, guessed: false },
    ],
    [
      'ResMLP’s affine',
      { 'norm1.alpha': [1, 1, 8], 'norm1.beta': [1, 1, 8] },
      'norm1.alpha',
      { role: 'norm-scale', guessed: false },
    ],
    ['BEiT’s q_bias', { 'attn.q_bias': [96] }, 'attn.q_bias', { role: 'bias', initial: 0, guessed: false }],
    [
      'Mamba’s D',
      { 'mixer.D': [64], 'mixer.A_log': [64, 16] },
      'mixer.D',
      { role: 'scale', initial: 1, guessed: false },
    ],
    ['Mamba’s A_log', { 'mixer.A_log': [64, 16] }, 'mixer.A_log', { role: 'unknown', guessed: true }],
    ['Mamba’s dt_bias', { 'mixer.dt_bias': [64] }, 'mixer.dt_bias', { role: 'unknown', guessed: true }],
    ['RWKV’s decay', { 'att.time_decay': [64] }, 'att.time_decay', { role: 'unknown', guessed: true }],
    ['wav2vec’s mask', { masked_spec_embed: [64] }, 'masked_spec_embed', { role: 'unknown', guessed: true }],
    ['MAE’s mask token', { mask_token: [1, 1, 64] }, 'mask_token', { role: 'unknown', guessed: true }],
    ['a class token', { cls_token: [1, 1, 64] }, 'cls_token', { role: 'embedding', guessed: true }],
    ['spectral_norm’s vector', { weight_orig: [4, 4], weight_u: [4] }, 'weight_u', { role: 'unknown', guessed: true }],
    ['a slope [C, 1, 1]', { 'x.slope': [8, 1, 1] }, 'x.slope', { role: 'scale', guessed: true }],
    [
      'a LayerNorm2d [1, C, 1, 1]',
      { 'norm.weight': [1, 8, 1, 1] },
      'norm.weight',
      { role: 'norm-scale', guessed: false },
    ],
    ['a Linear with one output', { 'fc.weight': [1, 8] }, 'fc.weight', { role: 'weight', guessed: false }],
    ['a norm without a name', { '1.weight': [8], '1.bias': [8] }, '1.bias', { role: 'norm-bias', guessed: false }],
    ['an RMSNorm or PReLU', { '1.weight': [8] }, '1.weight', { role: 'norm-scale', guessed: true }],
    ['a bias of the model’s own', { 'lm_head.bias': [8] }, 'lm_head.bias', { role: 'bias', initial: 0, guessed: true }],
    ['a matrix of any name', { thing: [8, 8] }, 'thing', { role: 'weight', guessed: true }],
    ['a vector of any name', { thing: [8] }, 'thing', { role: 'unknown', guessed: true }],
    [
      'Flax’s Dense',
      { 'params/Dense_0/kernel': [64, 8] },
      'params/Dense_0/kernel',
      { role: 'weight', layout: 'in-out', guessed: false },
    ],
    [
      'Flax’s Embed',
      { 'params/Embed_0/embedding': [9, 8] },
      'params/Embed_0/embedding',
      { role: 'embedding', guessed: false },
    ],
    [
      'Flax’s attention',
      { 'attn/query/kernel': [64, 4, 8] },
      'attn/query/kernel',
      { role: 'weight', layout: 'in-out', fan: { in: 64, out: 32 }, guessed: false },
    ],
    [
      'Flax’s attention, output',
      { 'attn/out/kernel': [4, 8, 64] },
      'attn/out/kernel',
      { role: 'weight', layout: 'in-out', fan: { in: 32, out: 64 }, guessed: false },
    ],
    ['Flax’s attention, bias', { 'attn/query/bias': [4, 8] }, 'attn/query/bias', { role: 'bias', guessed: false }],
    [
      'Keras’s embeddings',
      { 'embedding/embeddings:0': [9, 8] },
      'embedding/embeddings:0',
      { role: 'embedding', guessed: false },
    ],
    ['Keras’s variance', { 'bn/moving_variance:0': [8] }, 'bn/moving_variance:0', { role: 'buffer', guessed: false }],
    [
      'fused experts, in-out',
      { 'experts.gate_up_proj': [4, 16, 48], 'experts.down_proj': [4, 24, 16] },
      'experts.gate_up_proj',
      { role: 'weight', layout: 'in-out', batchAxes: 1, blocks: 2, guessed: false },
    ],
    [
      'fused experts, out-in',
      { 'experts.gate_up_proj': [4, 48, 16], 'experts.down_proj': [4, 16, 24] },
      'experts.down_proj',
      { role: 'weight', batchAxes: 1, guessed: false },
    ],
  ])('%s', (_, table, name, facts) => {
    expect(factsOf(table, name)).toEqual(facts)
  })

  test('fused experts have the fans of one expert', () => {
    const { model } = read({ 'experts.gate_up_proj': [4, 16, 48], 'experts.down_proj': [4, 24, 16] })
    const plan = planModel(model, 'xavier', {}, { seed: 1 })
    expect(plan.parameters.map(({ fans }) => fans)).toEqual([
      { fanIn: 16, fanOut: 24 },
      { fanIn: 24, fanOut: 16 },
    ])
  })

  test('statistics of Flax and Keras start at 0 and 1 under any initializer', () => {
    const table = {
      'batch_stats/BatchNorm_0/mean': [8],
      'batch_stats/BatchNorm_0/var': [8],
      'bn/moving_mean:0': [8],
      'bn/moving_variance:0': [8],
    }
    for (const initializer of ['xavier', recipes.kerasDefault(), recipes.flaxDefault()] as const) {
      const { parameters } = planModel(read(table).model, initializer as InitializerRule[], {}, { seed: 1 })
      expect(parameters.map(({ expected }) => expected.mean)).toEqual([0, 1, 0, 1])
    }
  })
})

describe('what is unknown', () => {
  const table = { 'fc.weight': [8, 8], 'fc.bias': [8], 'block.alpha': [1], odd: [8] }

  test('is refused by the API, with the remedy', async () => {
    for (const initializer of ['kaiming', 'torch_default'] as const) {
      await expectRefusal(
        () => planModel(read(table).model, initializer, {}, { seed: 1 }),
        'UNMATCHED_PARAMETER',
        '"block.alpha"',
        'rule',
        'skip',
      )
    }
  })

  test('is an error among the findings of a plan, with the reason', () => {
    const { model, guesses } = read(table)
    const plan = planEveryParameter(model, 'kaiming', {}, { seed: 1 })
    const findings = diagnosePlan(plan, {}, guesses)
    expect(findings).toMatchObject([
      {
        code: 'unmatched',
        severity: 'error',
        parameter: 'block.alpha',
        message: expect.stringContaining('convention'),
      },
      { code: 'unmatched', severity: 'error', parameter: 'odd' },
    ])
  })

  test('has a value where a rule matches it, and then nothing is found', () => {
    const { model, guesses } = read(table)
    const rules = [
      { match: '{*alpha,odd}', initializer: 'ones' as const },
      { match: { role: 'weight' as const }, initializer: 'kaiming' as const },
    ]
    const plan = planModel(model, rules, { seed: 1 })
    expect(diagnosePlan(plan, {}, guesses)).toEqual([])
  })
})

test('a guess that decides a value is a warning that says the value', () => {
  const { model, guesses } = read({ 'lm_head.bias': [8], 'fc.weight': [8, 8] })
  const plan = planModel(model, 'torch_default', {}, { seed: 1 })
  expect(diagnosePlan(plan, {}, guesses)).toMatchObject([
    {
      code: 'role-guessed',
      severity: 'warning',
      parameter: 'lm_head.bias',
      message: expect.stringContaining('begins at 0'),
    },
  ])
})

describe('floating dtypes', () => {
  const codes = (specs: readonly ParameterSpec[]) =>
    diagnosePlan(planModel({ parameters: specs }, 'xavier', {}, { seed: 1 }))
      .filter(({ code }) => code === 'dtypes-differ')
      .map(({ severity, parameter }) => [severity, parameter])
  const half = { name: 'a.weight', shape: [4, 4], dtype: 'float16' } as const

  test('of weights that differ are a warning', () => {
    expect(codes([half, { name: 'b.weight', shape: [4, 4] }])).toEqual([['warning', 'b.weight']])
  })
  test('of norms beside half-precision weights are a note', () => {
    expect(codes([half, { name: 'norm.weight', shape: [4] }])).toEqual([['note', 'norm.weight']])
  })
  test('that agree are nothing', () => {
    expect(codes([half, { name: 'norm.weight', shape: [4], dtype: 'float16' }])).toEqual([])
  })
})
