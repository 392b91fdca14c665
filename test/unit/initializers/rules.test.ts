// Which parameters a rule matches, which rule wins, and rules that are refused.
import { describe, expect, test } from 'vitest'
import type { InitializerRule } from '../../../src/initializers/rules.js'
import type { Parameter, ParameterSpec } from '../../../src/ir/parameter.js'
import { createMatcher, type ParameterMatch } from '../../../src/model/match.js'
import { planModel } from '../../../src/plan/plan.js'
import { parameterOf } from '../../support/parameters.js'
import { expectRefusal } from '../../support/refusal.js'

const specs: ParameterSpec[] = [
  { name: 'wte.weight', shape: [10, 4], role: 'embedding' },
  { name: 'h.0.attn.weight', shape: [4, 4] },
  { name: 'h.0.attn.bias', shape: [4] },
  { name: 'h.1.attn.weight', shape: [4, 4] },
  { name: 'h.10.attn.weight', shape: [4, 4] },
  { name: 'ln.weight', shape: [4], role: 'norm-scale' },
]
const model = { parameters: specs }

/** The constant that marks which rule a parameter got. */
const values = (rules: readonly InitializerRule[]): Record<string, number | string> =>
  Object.fromEntries(
    planModel(model, rules, { seed: 0 }).parameters.map(({ name, action, distribution }) => [
      name,
      action === 'skip' ? 'skip' : distribution.kind === 'constant' ? distribution.value : distribution.kind,
    ]),
  )
const mark = (match: ParameterMatch, value: number): InitializerRule => ({
  match,
  initializer: 'constant',
  config: { value },
})

describe('what a match means', () => {
  test.each<[string, ParameterMatch, string[]]>([
    ['everything', '*', specs.map(({ name }) => name)],
    ['a whole name', 'wte.weight', ['wte.weight']],
    ['not a part of a name', 'attn', []],
    ['a run of characters, dots included', 'h.*.weight', ['h.0.attn.weight', 'h.1.attn.weight', 'h.10.attn.weight']],
    ['one character', 'h.?.attn.weight', ['h.0.attn.weight', 'h.1.attn.weight']],
    ['alternatives', 'h.{0,10}.attn.*', ['h.0.attn.weight', 'h.0.attn.bias', 'h.10.attn.weight']],
    ['a dot is a dot', 'ln?weight', ['ln.weight']],
    ['a RegExp finds anywhere', /attn/, ['h.0.attn.weight', 'h.0.attn.bias', 'h.1.attn.weight', 'h.10.attn.weight']],
    ['an anchored RegExp', /^h\.\d\..*weight$/, ['h.0.attn.weight', 'h.1.attn.weight']],
    ['a RegExp with flag i', /LN/i, ['ln.weight']],
    ['a role by its name', 'embedding', ['wte.weight']],
    ['a role as an object', { role: 'bias' }, ['h.0.attn.bias']],
    ['a function', ({ shape }: Parameter) => shape.length === 1, ['h.0.attn.bias', 'ln.weight']],
  ])('%s', (_, match, names) => {
    const matcher = createMatcher(match, 'here')
    const found = planModel(model, 'normal', {}, { seed: 0, skip: match })
    expect(found.parameters.filter(({ action }) => action === 'skip').map(({ name }) => name)).toEqual(names)
    expect(matcher.text.length).toBeGreaterThan(0)
  })

  test.each([/weight$/g, /weight$/y, /weight$/gy, /w/g])('%s keeps no state between parameters or calls', (match) => {
    const sticky = new RegExp(match.source, match.flags)
    sticky.lastIndex = 7
    const matcher = createMatcher(sticky, 'here')
    for (let i = 0; i < 3; i++) expect(matcher.matches(parameterOf([2, 2], { name: 'fc.weight' }))).toBe(true)
    expect(sticky.lastIndex).toBe(7)
  })

  test.each<[string, string, boolean]>([
    ['a[0].weight', 'a[0].weight', true],
    ['a[0].weight', 'a0.weight', false],
    ['a+b', 'a+b', true],
    ['a+b', 'aab', false],
    ['a|b', 'a', false],
    ['(x)', '(x)', true],
    ['a\\b', 'a\\b', true],
    ['$^', '$^', true],
    ['a}b', 'a}b', true],
    ['a,b', 'a,b', true],
    ['x{a,b{c,d}}', 'xbd', true],
    ['x{a,b{c,d}}', 'xb', false],
    ['*', 'line\nbreak', true],
    ['?', '\n', true],
    ['w*t', 'weight', true],
    ['w*t', 'weights', false],
  ])('the glob %j and the name %j: %s', (glob, name, expected) => {
    expect(createMatcher(glob, 'here').matches(parameterOf([2, 2], { name, role: 'weight' }))).toBe(expected)
  })

  test('a function is given the parameter with its defaults filled in', () => {
    const seen: Parameter[] = []
    planModel(model, [{ match: (p: Parameter) => seen.push(p) > 0, initializer: 'zeros' }], { seed: 0 })
    expect(seen.find(({ name }) => name === 'h.0.attn.weight')).toEqual({
      name: 'h.0.attn.weight',
      shape: [4, 4],
      elementCount: 16,
      dtype: 'float32',
      role: 'weight',
      layout: 'out-in',
      groups: 1,
      blocks: 1,
      batchAxes: 0,
    })
  })
})

describe('rules', () => {
  test('the first that matches wins', () => {
    expect(values([mark('h.0.*', 1), mark(/attn/, 2), mark('*', 3)])).toEqual({
      'wte.weight': 3,
      'h.0.attn.weight': 1,
      'h.0.attn.bias': 1,
      'h.1.attn.weight': 2,
      'h.10.attn.weight': 2,
      'ln.weight': 3,
    })
  })

  test('biases and norms keep their defaults unless a rule says otherwise', () => {
    const got = values([mark({ role: 'weight' }, 5), mark('embedding', 6)])
    expect(got).toMatchObject({ 'h.0.attn.bias': 0, 'ln.weight': 1, 'h.0.attn.weight': 5, 'wte.weight': 6 })
    expect(values([mark('*bias', 9), mark('*', 5)])['h.0.attn.bias']).toBe(9)
    expect(values([mark('norm-scale', 0.5), mark('*', 5)])['ln.weight']).toBe(0.5)
  })

  test('skip leaves a parameter out', () => {
    const rules: InitializerRule[] = [{ match: 'wte*', initializer: 'skip' }, mark('*', 1)]
    expect(values(rules)['wte.weight']).toBe('skip')
    const { totals } = planModel(model, rules, { seed: 0 })
    expect(totals).toEqual({ parameterCount: 5, elementCount: 56, byteLength: 224 })
  })

  test('the option skip comes before the rules', () => {
    const plan = planModel(model, [mark('*', 1)], { seed: 0, skip: [{ role: 'bias' }, /^wte/] })
    const skipped = plan.parameters.filter(({ action }) => action === 'skip')
    expect(skipped.map(({ name }) => name)).toEqual(['wte.weight', 'h.0.attn.bias'])
    expect(skipped[0]?.rule.because).toContain('skip')
  })

  test('the plan names the rule it used', () => {
    const plan = planModel(model, [mark('h.*', 1), mark('*', 2)], { seed: 0 })
    expect(plan.parameters[0]?.rule).toEqual({ initializer: 'constant', config: { value: 2 }, because: 'rules[1]: *' })
    expect(plan.parameters[1]?.rule.because).toBe('rules[0]: h.*')
  })

  test('a weight that no rule matches is an error that names it', async () => {
    const act = () => planModel(model, [mark('h.*', 1)], { seed: 0 })
    await expectRefusal(act, 'UNMATCHED_PARAMETER', '"wte.weight"', 'embedding', '[10,4]')
  })

  test('no rules at all', async () => {
    await expectRefusal(() => planModel(model, [], { seed: 0 }), 'UNMATCHED_PARAMETER', '"wte.weight"')
  })

  test('a buffer without a default needs a rule', async () => {
    const buffers = { parameters: [{ name: 'causal_mask', shape: [4, 4], role: 'buffer' as const }] }
    await expectRefusal(
      () => planModel(buffers, 'xavier', {}, { seed: 0 }),
      'UNMATCHED_PARAMETER',
      '"causal_mask"',
      'buffer',
    )
    const plan = planModel(buffers, [{ match: 'buffer', initializer: 'ones' }], { seed: 0 })
    expect(plan.parameters[0]?.distribution).toEqual({ kind: 'constant', value: 1 })
  })

  test.each<[string, unknown, string[]]>([
    ['no object', 'normal', ['rules[0]', '"normal"']],
    ['null', null, ['rules[0]', 'null']],
    ['a list', ['*', 'normal'], ['rules[0]']],
    ['without match', { initializer: 'normal' }, ['rules[0]', 'undefined']],
    ['match of a number', { match: 3, initializer: 'normal' }, ['rules[0]', '3']],
    ['an empty glob', { match: '', initializer: 'normal' }, ['rules[0]', '*']],
    ['an unknown role', { match: { role: 'kernel' }, initializer: 'normal' }, ['rules[0]', 'kernel', 'norm-scale']],
    ['without initializer', { match: '*' }, ['rules[0]', 'undefined']],
    ['initializer of a number', { match: '*', initializer: 1 }, ['rules[0]', '1']],
    ['an unknown key', { match: '*', initializer: 'normal', std: 1 }, ['rules[0]', '"std"']],
  ])('a rule that is wrong: %s', async (_, rule, fragments) => {
    await expectRefusal(
      () => planModel(model, [rule as InitializerRule], { seed: 0 }),
      'INVALID_ARGUMENT',
      ...fragments,
    )
  })
})
