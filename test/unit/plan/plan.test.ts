// planModel: what a plan says of every parameter, seeds, tied parameters, and the forms that its arguments take.
import { describe, expect, test } from 'vitest'
import { floatDTypes } from '../../../src/core/dtype.js'
import { kaimingNormal, linear, relu, sequential, xavierUniform } from '../../../src/index.js'
import { NormalInitializer } from '../../../src/initializers/families/normal.js'
import { Initializer, type InitializerContext } from '../../../src/initializers/initializer.js'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import type { InitializationPlan, PlannedParameter } from '../../../src/ir/plan.js'
import { manifestOf } from '../../../src/plan/manifest/write.js'
import { planModel } from '../../../src/plan/plan.js'
import { parameterStream } from '../../../src/random/keys.js'
import { expectRefusal } from '../../support/refusal.js'

const mlp = sequential(linear(784, 256), relu(), linear(256, 10))
const byName = (plan: InitializationPlan): Record<string, PlannedParameter> =>
  Object.fromEntries(plan.parameters.map((p) => [p.name, p]))

describe('the plan of a small network', () => {
  const plan = planModel(mlp, 'kaiming', { mode: 'fan_out' }, { seed: 42 })

  test('lists the parameters in the model’s order', () => {
    expect(plan.parameters.map(({ name }) => name)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
  })

  test('says everything about a weight', () => {
    expect(plan.parameters[0]).toEqual({
      name: '0.weight',
      shape: [256, 784],
      elementCount: 200704,
      dtype: 'float32',
      byteLength: 802816,
      role: 'weight',
      patches: [],
      layout: 'out-in',
      action: 'initialize',
      rule: {
        initializer: 'kaiming',
        config: { mode: 'fan_out', nonlinearity: 'relu', a: 0, distribution: 'normal' },
        because: expect.stringContaining('weight'),
      },
      fans: { fanIn: 784, fanOut: 256 },
      distribution: { kind: 'normal', mean: 0, std: Math.sqrt(2) / 16 },
      expected: {
        mean: 0,
        std: Math.sqrt(2) / 16,
        min: (-6.77 * Math.sqrt(2)) / 16,
        max: (6.77 * Math.sqrt(2)) / 16,
      },
      stream: parameterStream('0.weight', 42),
    })
  })

  test('gives biases 0, without fans', () => {
    const { '0.bias': bias } = byName(plan)
    expect(bias).toMatchObject({ role: 'bias', distribution: { kind: 'constant', value: 0 }, byteLength: 1024 })
    expect(bias).not.toHaveProperty('fans')
    expect(bias?.rule.because).toContain('bias')
  })

  test('adds up', () => {
    const elementCount = 256 * 784 + 256 + 10 * 256 + 10
    expect(plan.totals).toEqual({ parameterCount: 4, elementCount, byteLength: 4 * elementCount })
  })

  test('is the same each time', () => {
    expect(planModel(mlp, 'kaiming', { mode: 'fan_out' }, { seed: 42 }).toJSON()).toEqual(plan.toJSON())
  })
})

describe('the seed', () => {
  test.each<[number | bigint]>([[0], [42], [-1], [2n ** 63n], [0n]])('%s comes back as it was given', (seed) => {
    const plan = planModel(mlp, 'xavier', {}, { seed })
    expect(plan.seed).toBe(seed)
    expect(plan.toJSON().seed).toBe(String(seed))
  })

  test('is drawn, and reported, when there is none', () => {
    const [a, b] = [planModel(mlp, 'xavier'), planModel(mlp, 'xavier')]
    expect(a.seed).not.toBe(b.seed)
    const again = planModel(mlp, 'xavier', {}, { seed: a.seed })
    expect(again.parameters.map(({ stream }) => stream)).toEqual(a.parameters.map(({ stream }) => stream))
  })

  test('gives every parameter a stream of its own', () => {
    const { parameters } = planModel(mlp, 'xavier', {}, { seed: 1 })
    expect(new Set(parameters.map(({ stream }) => `${stream.key} ${stream.counter}`)).size).toBe(4)
  })
})

describe('a parameter’s plan depends on itself alone', () => {
  const specs: ParameterSpec[] = [
    { name: 'a', shape: [3, 4] },
    { name: 'b', shape: [4] },
    { name: 'c', shape: [5, 6], dtype: 'float16' },
  ]
  const whole = byName(planModel({ parameters: specs }, 'xavier', {}, { seed: 9 }))

  test.each([
    ['reversed', [...specs].reverse()],
    ['one left out', specs.slice(1)],
    ['others added', [{ name: 'z', shape: [9, 9] }, ...specs, { name: 'y.bias', shape: [2] }]],
    ['alone', [specs[2]!]],
  ])('%s', (_, parameters) => {
    const plan = planModel({ parameters }, 'xavier', {}, { seed: 9 })
    for (const parameter of plan.parameters) {
      if (whole[parameter.name]) expect(parameter).toEqual(whole[parameter.name])
    }
    expect(plan.parameters.some(({ name }) => whole[name])).toBe(true)
  })
})

describe('toJSON', () => {
  const model = { parameters: [...mlp.parameters, { name: 'tied', shape: [256, 784], tiedTo: '0.weight' }] }
  const json = JSON.parse(
    JSON.stringify(planModel(model, 'normal', { std: 0.02 }, { seed: 2n ** 64n - 1n, skip: '2.bias' })),
  )

  test('is JSON, with 64-bit numbers as decimal strings', () => {
    const { key, counter } = parameterStream('0.weight', -1)
    expect(json.valueContract).toBe(1)
    expect(json.seed).toBe('18446744073709551615')
    expect(json.generator).toBe('philox')
    expect(json.parameters[0].stream).toEqual({ key: String(key), counter: String(counter) })
    expect(json.parameters[0].distribution).toEqual({ kind: 'normal', mean: 0, std: 0.02 })
    expect(json.parameters[0].description).toBe('normal(0, 0.02)')
  })

  test('tells what is tied and what is skipped, and counts neither', () => {
    expect(json.parameters.map((p: PlannedParameter) => p.action)).toEqual([
      'initialize',
      'initialize',
      'initialize',
      'skip',
      'tied',
    ])
    expect(json.parameters[4].tiedTo).toBe('0.weight')
    expect(json.totals.parameterCount).toBe(3)
    expect(json.totals.elementCount).toBe(256 * 784 + 256 + 2560)
  })
})

describe('the padding row of an embedding in JSON', () => {
  const table = { name: 'e', shape: [6, 4], role: 'embedding' as const, paddingIndex: -2 }
  const model = { parameters: [table, { name: 'w', shape: [6, 4] }, { name: 't', shape: [6, 4], tiedTo: 'e' }] }

  test('is the range of elements that the manifest has, of the full tensor in a part too', () => {
    for (const slice of [{}, { e: { start: [3, 1], end: [6, 3] } }]) {
      const plan = planModel(model, 'normal', {}, { seed: 1, slice })
      const { parameters } = JSON.parse(JSON.stringify(plan))
      expect(parameters.map((p: { padding?: unknown }) => p.padding)).toEqual([
        { first: 16, count: 4 },
        undefined,
        undefined,
      ])
      expect(manifestOf(plan).parameters[0]?.padding).toEqual({ first: 16, count: 4 })
    }
  })

  test('is not there where all elements are equal', () => {
    const { parameters } = JSON.parse(JSON.stringify(planModel(model, 'zeros', {}, { seed: 1 })))
    expect(parameters.some((p: object) => 'padding' in p || 'patches' in p)).toBe(false)
  })
})

describe('dtype', () => {
  const model = {
    parameters: [
      { name: 'w', shape: [3, 3] },
      { name: 'h', shape: [3, 3], dtype: 'float16' as const },
      { name: 'n', shape: [3], dtype: 'int64' as const, role: 'bias' as const },
    ],
  }

  test('is the model’s own by default', () => {
    const plan = planModel(model, 'normal', {}, { seed: 0 })
    expect(plan.parameters.map(({ dtype, byteLength }) => [dtype, byteLength])).toEqual([
      ['float32', 36],
      ['float16', 18],
      ['int64', 24],
    ])
  })

  test.each(floatDTypes)('%s goes to floating parameters only', (dtype) => {
    const plan = planModel(model, 'normal', {}, { seed: 0, dtype })
    expect(plan.parameters.map((p) => p.dtype)).toEqual([dtype, dtype, 'int64'])
  })

  test('changes neither distribution nor stream', () => {
    const facts = (dtype: 'float32' | 'bfloat16') =>
      planModel(mlp, 'kaiming', {}, { seed: 3, dtype }).parameters.map(({ distribution, stream }) => ({
        distribution,
        stream,
      }))
    expect(facts('bfloat16')).toEqual(facts('float32'))
  })
})

describe('tied parameters', () => {
  const model = {
    parameters: [
      { name: 'head.weight', shape: [10, 4], tiedTo: 'wte.weight' },
      { name: 'wte.weight', shape: [10, 4], role: 'embedding' as const },
    ],
  }

  test('take no values of their own, wherever they stand', () => {
    const plan = planModel(model, 'normal', {}, { seed: 0 })
    expect(plan.parameters.map(({ action, tiedTo }) => [action, tiedTo])).toEqual([
      ['tied', 'wte.weight'],
      ['initialize', undefined],
    ])
    expect(plan.totals).toEqual({ parameterCount: 1, elementCount: 40, byteLength: 160 })
  })

  test('need no rule', () => {
    const plan = planModel(model, [{ match: 'wte.weight', initializer: 'normal' }], { seed: 0 })
    expect(plan.parameters[0]?.rule.because).toContain('wte.weight')
  })

  test('are refused when only their owner is skipped', async () => {
    const act = () => planModel(model, 'normal', {}, { seed: 0, skip: 'wte.weight' })
    await expectRefusal(act, 'INVALID_MODEL', '"head.weight"', '"wte.weight"', 'skip')
  })

  test('may be skipped together with their owner', () => {
    const plan = planModel(
      { parameters: [...model.parameters, { name: 'fc', shape: [2, 2] }] },
      'normal',
      {},
      { seed: 0, skip: ['wte.weight', 'head.weight'] },
    )
    expect(plan.parameters.map(({ name, action }) => [name, action])).toEqual([
      ['head.weight', 'skip'],
      ['wte.weight', 'skip'],
      ['fc', 'initialize'],
    ])
  })
})

test('a rule that skips the owner and its tie alike skips both', () => {
  const parameters = [
    { name: 'wte.weight', shape: [10, 4] },
    { name: 'head.weight', shape: [10, 4], tiedTo: 'wte.weight' },
    { name: 'fc', shape: [2, 2] },
  ]
  const rules = [
    { match: '{wte,head}.*', initializer: 'skip' },
    { match: '*', initializer: 'normal' },
  ]
  const plan = planModel({ parameters }, rules as never, { seed: 0 })
  expect(plan.parameters.map(({ action }) => action)).toEqual(['skip', 'skip', 'initialize'])
})

describe('argument forms', () => {
  const expected = planModel(mlp, 'kaiming_normal', {}, { seed: 5 }).parameters.map(({ distribution, stream }) => ({
    distribution,
    stream,
  }))
  test.each<[string, () => InitializationPlan]>([
    ['name, config, options', () => planModel(mlp, 'kaiming', { distribution: 'normal' }, { seed: 5 })],
    ['name, undefined, options', () => planModel(mlp, 'kaiming', undefined, { seed: 5 })],
    ['instance, options', () => planModel(mlp, kaimingNormal, { seed: 5 })],
    ['instance, undefined, options', () => planModel(mlp, kaimingNormal, undefined, { seed: 5 })],
    ['instance, {}, options', () => planModel(mlp, kaimingNormal, {}, { seed: 5 })],
    ['rules, options', () => planModel(mlp, [{ match: '*.weight', initializer: kaimingNormal }], { seed: 5 })],
    ['rules, {}, options', () => planModel(mlp, [{ match: 'weight', initializer: 'kaimingNormal' }], {}, { seed: 5 })],
  ])('%s', (_, act) => {
    const plan = act()
    expect(plan.seed).toBe(5)
    expect(plan.parameters.map(({ distribution, stream }) => ({ distribution, stream }))).toEqual(expected)
  })

  test('a config beside an instance is refused, not dropped', async () => {
    const act = () => planModel(mlp, xavierUniform, { gain: 2 } as never, { seed: 1 })
    await expectRefusal(act, 'INVALID_CONFIG', 'gain', 'constructor')
  })

  test('options in the config’s place of a named initializer are refused, not dropped', async () => {
    const act = () => planModel(mlp, 'kaiming', { seed: 1 } as never)
    await expectRefusal(act, 'INVALID_CONFIG', '"seed"', 'config of "kaiming"', '(..., "kaiming", {}, { seed: ... })')
    const both = () => planModel(mlp, 'kaiming', { mode: 'fan_out', dtype: 'float16' } as never, { seed: 1 })
    await expectRefusal(both, 'INVALID_CONFIG', '"dtype"', 'config of "kaiming"')
  })

  test('options in a rule are refused, beside its config and in it', async () => {
    const rule = { match: '*', initializer: 'kaiming' }
    const beside = () => planModel(mlp, [{ ...rule, seed: 1 } as never])
    await expectRefusal(beside, 'INVALID_CONFIG', '"seed"', 'rules[0]', '(..., rules, { seed: ... })')
    const inside = () => planModel(mlp, [{ ...rule, config: { device: 'cpu' } } as never])
    await expectRefusal(inside, 'INVALID_CONFIG', '"device"', 'rules[0].config', '(..., rules, { device: ... })')
  })

  test('options given twice beside an instance or rules are refused', async () => {
    const act = () => planModel(mlp, kaimingNormal, { seed: 1 } as never, { dtype: 'float16' })
    await expectRefusal(act, 'INVALID_CONFIG', '"seed"', 'last argument')
  })
})

describe('an initializer of one’s own', () => {
  class ByFanOut extends Initializer {
    readonly name = 'by-fan-out'
    readonly config = {}
    distribution({ fans, parameter }: InitializerContext) {
      return { kind: 'normal', mean: parameter.shape.length, std: 1 / fans().fanOut } as const
    }
  }

  test('is asked for its distribution', () => {
    const plan = planModel(mlp, new ByFanOut(), { seed: 1 })
    expect(plan.parameters[0]).toMatchObject({
      rule: { initializer: 'by-fan-out' },
      distribution: { kind: 'normal', mean: 2, std: 1 / 256 },
    })
  })

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['another kind', { kind: 'cauchy' }, 'cauchy'],
    ['NaN', { kind: 'normal', mean: 0, std: Number.NaN }, 'NaN'],
    ['a string', { kind: 'normal', mean: 0, std: '1' }, '"1"'],
    ['an infinite end', { kind: 'uniform', low: 0, high: Number.POSITIVE_INFINITY }, 'Infinity'],
    ['a constant that is no number', { kind: 'constant', value: Number.NaN }, 'NaN'],
  ])('a distribution that is %s is refused, with the parameter', async (_, distribution, shown) => {
    class Wrong extends Initializer {
      readonly name = 'wrong'
      readonly config = {}
      distribution() {
        return distribution as { kind: 'constant'; value: number }
      }
    }
    await expectRefusal(() => planModel(mlp, new Wrong(), { seed: 1 }), 'INVALID_CONFIG', '"0.weight"', shown)
  })
})

test('expected moments of every distribution', () => {
  const [w] = planModel(linear(4, 4, { bias: false }), 'uniform', { a: -1, b: 3 }, { seed: 0 }).parameters
  expect(w?.expected).toEqual({ mean: 1, std: 4 / Math.sqrt(12), min: -1, max: 3 })
  const [c] = planModel(linear(4, 4, { bias: false }), 'constant', { value: 7 }, { seed: 0 }).parameters
  expect(c?.expected).toEqual({ mean: 7, std: 0, min: 7, max: 7 })
})

test('a distribution without spread is planned as a constant', () => {
  const distribution = (name: string, config: Record<string, unknown>) =>
    planModel(linear(4, 4, { bias: false }), name as never, config, { seed: 0 }).parameters[0]!.distribution
  expect(distribution('normal', { mean: 2, std: 0 })).toEqual({ kind: 'constant', value: 2 })
  expect(distribution('uniform', { a: -3, b: -3 })).toEqual({ kind: 'constant', value: -3 })
  expect(distribution('xavier', { gain: 0 })).toEqual({ kind: 'constant', value: 0 })
  expect(distribution('uniform', { a: 1, b: 1 + 2 ** -40 })).toEqual({ kind: 'constant', value: 1 })
  expect(new NormalInitializer({ std: 0 }).distribution()).toEqual({ kind: 'normal', mean: 0, std: 0 })
})
