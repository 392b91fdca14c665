// What diagnosePlan finds wrong in a plan, and that it is silent about sound ones.
import { describe, expect, it } from 'vitest'
import {
  type diagnosePlan as Diagnose,
  diagnosePlan,
  type InitializerArgument,
  NormalInitializer,
  type ParameterSpec,
  type PlanFindingCode,
  planEveryParameter,
  planModel,
  readHuggingFaceConfig,
} from '../../../src/index.js'

type Findings = ReturnType<typeof Diagnose>

function diagnose(
  parameters: readonly ParameterSpec[],
  initializer: InitializerArgument,
  options = {},
  tied: Record<string, string> = {},
): Findings {
  const config = {}
  return diagnosePlan(planEveryParameter({ parameters }, initializer, config, { seed: 1, ...options }), tied)
}

const codes = (findings: Findings): [PlanFindingCode, string][] =>
  findings.map(({ code, parameter }) => [code, parameter])

const weight: ParameterSpec = { name: 'fc.weight', shape: [64, 64] }
const bias: ParameterSpec = { name: 'fc.bias', shape: [64] }
const norm: ParameterSpec = { name: 'norm.weight', shape: [64], role: 'norm-scale' }
const embedding: ParameterSpec = { name: 'wte.weight', shape: [1000, 400], role: 'embedding' }
const stack = (layers: number): ParameterSpec[] =>
  Array.from({ length: layers }, (_, i) => ({ name: `layers.${i}.weight`, shape: [100, 100] }))

describe('diagnosePlan', () => {
  it('finds nothing in GPT-2 as its authors initialise it, nor in Kaiming, Xavier and PyTorch defaults of a plain network', () => {
    const { model, recipe, tied } = readHuggingFaceConfig({ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] })
    expect(diagnosePlan(planModel(model, recipe, { seed: 1 }), tied)).toEqual([])
    for (const name of ['kaiming', 'xavier', 'orthogonal'])
      expect(diagnose([weight, bias, norm], name as never), name).toEqual([])
    expect(diagnose(stack(60), 'kaiming')).toEqual([])
    expect(diagnose(stack(60), 'torch_default')).toEqual([])
  })

  it('lists what no rule initialises as errors, and planModel still refuses it', () => {
    const rules = [{ match: 'fc.*', initializer: 'xavier' }]
    const findings = diagnose([weight, { name: 'head.weight', shape: [4, 64] }], rules as never)
    expect(findings).toMatchObject([{ code: 'unmatched', severity: 'error', parameter: 'head.weight' }])
    expect(() => planModel({ parameters: [{ name: 'head.weight', shape: [4, 64] }] }, rules as never)).toThrow(
      'head.weight',
    )
    // A named initializer too, where it has no distribution for a role.
    expect(codes(diagnose([weight, { name: 'count', shape: [], role: 'buffer' }], 'xavier'))).toEqual([
      ['unmatched', 'count'],
    ])
    // Left out on purpose is no error.
    expect(diagnose([weight, { name: 'head.weight', shape: [4, 64] }], rules as never, { skip: 'head.*' })).toEqual([])
  })

  it('flags norm scales that are random or no usual constant', () => {
    const random = [{ match: '*', initializer: 'normal', config: { std: 0.02 } }]
    expect(codes(diagnose([norm], random as never))).toEqual([['norm-scale-random', 'norm.weight']])
    const constant = (value: number): Findings =>
      diagnose([norm], [{ match: '*', initializer: 'constant', config: { value } }])
    expect(constant(1)).toEqual([])
    expect(constant(0), 'a zero-initialised branch').toEqual([])
    expect(codes(constant(0.5))).toEqual([['norm-scale-constant', 'norm.weight']])
  })

  it("flags random biases; PyTorch's own as a note", () => {
    const random = [{ match: '*', initializer: 'normal', config: { std: 0.1 } }]
    expect(diagnose([weight, bias], random as never)).toMatchObject([{ code: 'bias-random', severity: 'warning' }])
    expect(diagnose([weight, bias], 'torch_default')).toMatchObject([{ code: 'bias-random', severity: 'note' }])
  })

  it('flags weights and embeddings that are constant', () => {
    const constant = (spec: ParameterSpec, value: number): Findings =>
      diagnose([spec], [{ match: '*', initializer: 'constant', config: { value } }])
    expect(constant(weight, 0)).toMatchObject([{ code: 'weight-constant', severity: 'note' }])
    expect(constant(weight, 0.1)).toMatchObject([{ code: 'weight-constant', severity: 'warning' }])
    expect(codes(constant(embedding, 0))).toEqual([['embedding-zero', 'wte.weight']])
  })

  it('flags one layer that multiplies by more than ten, with the std that would not', () => {
    expect(diagnose([weight], new NormalInitializer({ std: 1.25 })), 'gain exactly 10').toEqual([])
    const [finding] = diagnose([weight], new NormalInitializer({ std: 2 }))
    expect(finding).toMatchObject({ code: 'std-huge', parameter: 'fc.weight' })
    expect(finding!.message).toContain('std 2 with fan_in 64 multiplies the input by 16')
    expect(finding!.message).toContain('std 0.125')
  })

  it('flags growth through depth, and not where norms stand between', () => {
    const gain4 = new NormalInitializer({ std: 0.4 })
    const growing = diagnose(stack(20), gain4)
    // (4 / (5/3))^20 = 4.02e7
    expect(growing).toMatchObject([{ code: 'signal-explodes', severity: 'warning', parameter: 'layers.0.weight' }])
    expect(growing[0]!.message).toContain('4e+7-fold over 20 layers, from here to layers.19.weight.')
    const normed = stack(20).flatMap((spec, i) => [spec, { ...norm, name: `norms.${i}.weight`, shape: [100] }])
    expect(diagnose(normed, gain4)).toEqual([])
    expect(diagnose(stack(5), gain4), '80-fold').toEqual([])
  })

  it('flags signals that vanish where no norm restores them', () => {
    const gain = (g: number): NormalInitializer => new NormalInitializer({ std: g / 10 })
    expect(codes(diagnose(stack(20), gain(0.25)))).toEqual([['signal-vanishes', 'layers.0.weight']])
    expect(diagnose(stack(20), gain(0.6))).toEqual([])
    expect(diagnose([...stack(20), { ...norm, shape: [100] }], gain(0.25))).toEqual([])
  })

  it('looks at ties: wide logits, sharing by several, an output layer that looks untied', () => {
    const wide = new NormalInitializer({ std: 1 })
    const head: ParameterSpec = { name: 'lm_head.weight', shape: [1000, 400] }
    const tied = { ...head, tiedTo: 'wte.weight' }
    const found = diagnose([embedding, tied], wide)
    expect(codes(found)).toEqual([['tied-embedding-wide', 'wte.weight']])
    expect(found[0]!.message).toContain('logits of std 20')
    expect(codes(diagnose([embedding], wide, {}, { 'lm_head.weight': 'wte.weight' }))).toEqual(codes(found))
    expect(diagnose([embedding], wide)).toEqual([])
    const small = new NormalInitializer({ std: 0.02 })
    expect(codes(diagnose([embedding, head], small))).toEqual([['tie-missing', 'lm_head.weight']])
    expect(diagnose([embedding, tied], small)).toEqual([])
    const twice = diagnose(
      [embedding, tied, { name: 'decoder.wte.weight', shape: [1000, 400], tiedTo: 'wte.weight' }],
      small,
    )
    expect(twice).toMatchObject([{ code: 'tied-twice', severity: 'note', parameter: 'wte.weight' }])
    expect(twice[0]!.message).toContain('lm_head.weight, decoder.wte.weight')
  })

  it("says where the distribution's fans are not PyTorch's, and which were used", () => {
    const fused: ParameterSpec = { name: 'qkv.weight', shape: [192, 64], blocks: 3 }
    const own = diagnose([fused], 'xavier')
    expect(codes(own)).toEqual([['fans-differ', 'qkv.weight']])
    expect(own[0]!.message).toContain("the layer's true fans are used")
    expect(diagnose([fused], 'xavier', { fans: 'torch' })[0]!.message).toContain("PyTorch's fans are used")
    expect(diagnose([fused], new NormalInitializer({ std: 0.02 })), 'no fan in this distribution').toEqual([])
  })

  it('flags float16 under its normal range', () => {
    const tiny = new NormalInitializer({ std: 1e-4 })
    expect(codes(diagnose([embedding], tiny, { dtype: 'float16' }))).toEqual([['subnormal', 'wte.weight']])
    expect(diagnose([embedding], tiny, { dtype: 'bfloat16' })).toEqual([])
  })

  it('says where nothing is known of a parameter', () => {
    const found = diagnose([{ name: 'layer_scale', shape: [64] }, bias, { name: 'layers.0.b1', shape: [4] }], 'xavier')
    expect(codes(found)).toEqual([['unmatched', 'layer_scale']])
    expect(found[0]?.message).toMatch(/neither name nor shape says what it is\. Add a rule/)
  })

  it('is pure: the plan is as before, and the findings are plain data', () => {
    const plan = planEveryParameter({ parameters: [weight, bias, norm] }, 'normal', { std: 3 }, { seed: 1 })
    const before = JSON.stringify(plan)
    const findings = diagnosePlan(plan)
    expect(JSON.stringify(plan)).toBe(before)
    expect(JSON.parse(JSON.stringify(findings))).toEqual(findings)
    expect(findings.length).toBeGreaterThan(0)
  })
})
