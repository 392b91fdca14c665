// What the generators of other libraries refuse, before anything is drawn: the parameter, the value, the limit, the remedy.
import { describe, expect, test } from 'vitest'
import { initializeModel, jax, planModel, pythonSnippet, TorchGenerator } from '../../../src/index.js'
import type { GeneratorOption } from '../../../src/ir/generator.js'
import { expectRefusal } from '../../support/refusal.js'

const plan = (
  initializer: string,
  config: Readonly<Record<string, unknown>>,
  generator: GeneratorOption,
  shape: readonly number[] = [4, 4],
) => planModel({ parameters: [{ name: 'layer.w', shape }] }, initializer as never, config, { seed: 1, generator })

const where = 'Parameter "layer.w"'

describe('settings', () => {
  test.each<[what: string, generator: unknown, message: string]>([
    [
      'a truncation',
      { name: 'torch-cpu', truncation: 'redraw' },
      `truncation must be 'rejection' or 'inversion', but found "redraw"`,
    ],
    ['more threads than any GPU', { name: 'torch-cuda', threads: 2 ** 31 }, 'threads 2147483648 is more than 2^30'],
    [
      'keys that are no mapping',
      { name: 'jax', keys: 'w' },
      'generator jax: keys must map names to keys, but found "w"',
    ],
  ])('%s', async (_, generator, message) => {
    await expectRefusal(() => plan('normal', {}, generator as GeneratorOption), 'UNSUPPORTED_GENERATOR', message)
  })
})

describe('distributions', () => {
  /** 100 proposals for a value and more: PyTorch would draw the tensor hundreds of times. */
  const rare = [
    { a: 1, b: 1000 },
    { a: 8, b: 30 },
    { mean: 5, std: 0.1, a: -40, b: 4.2 },
  ]
  test.each(rare)('trunc_normal %j, of which PyTorch takes fewer than one proposal in 100', async (config) => {
    for (const generator of ['torch-cpu', 'torch-cuda'] as const) {
      await expectRefusal(
        () => plan('trunc_normal', config, generator),
        'INVALID_CONFIG',
        where,
        `proposes uniforms in [${config.a}, ${config.b}] and would accept fewer than one in 100`,
        'Narrow the interval, or use the default generator',
      )
    }
    const g = new TorchGenerator(1)
    const { mean = 0, std = 1, a, b } = config as { mean?: number; std?: number; a: number; b: number }
    await expectRefusal(() => g.truncNormal(3, mean, std, a, b), 'INVALID_CONFIG', 'fewer than one in 100')
    expect(g.position).toBe(0)
    // By inversion a value takes one word, wherever the interval lies; and so does the default generator.
    plan('trunc_normal', config, { name: 'torch-cpu', truncation: 'inversion' })
    plan('trunc_normal', config, 'philox')
  })

  test('trunc_normal just within the limit is drawn', async () => {
    const rules = [{ match: '*', initializer: 'trunc_normal', config: { a: 8, b: 19 } }]
    const model = { parameters: [{ name: 'w', shape: [3, 3] }] }
    const weights = await initializeModel(model, rules as never, { device: 'cpu', seed: 1, generator: 'torch-cpu' })
    expect([...(await weights.read('w'))].every((x) => x >= 8 && x <= 19)).toBe(true)
  })

  test.each(['torch-cpu', 'torch-cuda'] as const)(
    '%s: sparse of more rows than randperm takes words for',
    async (name) => {
      const generator = name === 'torch-cuda' ? ({ name, gpu: 'A100' } as const) : name
      await expectRefusal(
        () => plan('sparse', { sparsity: 0.5 }, generator, [214748364, 2]),
        'LIMIT_EXCEEDED',
        where,
        'fewer than 214748364 rows, but found 214748364',
        'Split the matrix, or use the default generator',
      )
      plan('sparse', { sparsity: 0.5 }, generator, [214748363, 2])
    },
  )

  test.each([
    [
      'torch-stateless',
      'trunc_normal',
      {},
      'draws uniform, normal, orthogonal distributions',
      'asks for truncated-normal',
    ],
    [
      'torch-stateless',
      'sparse',
      { sparsity: 0.1 },
      'draws uniform, normal, orthogonal distributions',
      'asks for sparse',
    ],
    [
      'jax',
      'sparse',
      { sparsity: 0.1 },
      'draws uniform, normal, truncated-normal, orthogonal distributions',
      'asks for sparse',
    ],
    ['jax-legacy', 'sparse', { sparsity: 0.1 }, 'generator jax-legacy draws', 'asks for sparse'],
  ] as const)('%s has no %s', async (generator, initializer, config, has, asked) => {
    const remedy = 'Choose another initializer for it, skip it, or use the default generator'
    await expectRefusal(() => plan(initializer, config, generator), 'UNSUPPORTED_GENERATOR', where, has, asked, remedy)
  })

  test.each(['torch-cpu', 'torch-cuda', 'torch-stateless', 'jax', 'jax-legacy'] as const)(
    '%s: a standard deviation whose rounding errors a device may flush',
    async (generator) => {
      await expectRefusal(
        () => plan('normal', { mean: 1, std: 2 ** -37 }, generator),
        'INVALID_CONFIG',
        where,
        `generator ${generator} needs std >= 2^-36 with a non-zero mean, but found std ${2 ** -37}`,
      )
      plan('normal', { mean: 1, std: 2 ** -36 }, generator)
      plan('normal', { mean: 0, std: 2 ** -37 }, generator)
    },
  )

  test('jax-legacy of 2^32 - 1 elements', async () => {
    await expectRefusal(
      () => plan('normal', {}, 'jax-legacy', [2 ** 32 - 1, 1]),
      'LIMIT_EXCEEDED',
      where,
      "takes fewer than 2^32 - 1 elements, but found 4294967295; use 'jax'",
    )
    plan('normal', {}, 'jax-legacy', [2 ** 32 - 2, 1])
    plan('normal', {}, 'jax', [2 ** 32 - 1, 1])
  })

  test('parts that are not one run of neighbours', async () => {
    const model = { parameters: [{ name: 'layer.w', shape: [4, 6] }] }
    const shard = { axis: 1, index: 0, count: 2 }
    for (const generator of ['torch-cpu', 'jax'] as const) {
      await expectRefusal(
        () => planModel(model, 'normal', {}, { seed: 1, generator, shard }),
        'UNSUPPORTED_GENERATOR',
        where,
        `[4,6]: generator ${generator} makes only parts that are one run of neighbouring elements`,
        "cut its first axis, leave it whole, or use generator 'philox'",
      )
    }
  })
})

describe('functions on explicit keys and streams', () => {
  test.each<[what: string, act: () => unknown, message: string]>([
    [
      'a mode',
      () => jax.initializers.varianceScaling([0, 1], [2, 2], scaling({ mode: 'fan' })),
      'fan_geo_avg, but found "fan"',
    ],
    [
      'a distribution',
      () => jax.initializers.varianceScaling([0, 1], [2, 2], scaling({ distribution: 'cauchy' })),
      'distribution must be uniform, normal or truncated_normal, but found "cauchy"',
    ],
    [
      'a scale',
      () => jax.initializers.varianceScaling([0, 1], [2, 2], scaling({ scale: -1 })),
      'scale must be a positive finite number, but found -1',
    ],
    [
      'an array that is too long for the legacy layout',
      () => jax.bits([0, 1], 2 ** 32 - 1, { generator: 'jax-legacy' }),
      "'jax-legacy' arrays have fewer than 2^32 - 1 elements, but found 4294967295; use 'jax'",
    ],
    [
      'truncNormal without spread',
      () => new TorchGenerator(1).truncNormal(3, 0, 0),
      'truncNormal needs std > 0, but found std 0',
    ],
    [
      'an empty interval',
      () => new TorchGenerator(1).truncNormal(3, 0, 1, 2, 2),
      'the interval [2, 2] is empty. Swap or widen the bounds',
    ],
    [
      'an unknown truncation',
      () => new TorchGenerator(1, { truncation: 'x' as 'rejection' }),
      `truncation must be 'rejection' or 'inversion', but found "x"`,
    ],
    [
      'a position that is no integer of float64',
      () => {
        const g = new TorchGenerator(1)
        g.skip(Number.MAX_SAFE_INTEGER)
        g.skip(1)
      },
      'positions end at 2^53 - 1 words; set another seed',
    ],
  ])('%s', async (_, act, message) => {
    await expectRefusal(act, 'INVALID_ARGUMENT', message)
  })
})

type Scaling = Parameters<typeof jax.initializers.varianceScaling>[2]
const scaling = (config: Record<string, unknown>): Scaling =>
  ({ scale: 1, mode: 'fan_in', distribution: 'uniform', ...config }) as Scaling

describe('pythonSnippet', () => {
  const snippet = async (initializer: string, config: object, generator: GeneratorOption, options: object = {}) => {
    const parameters = [
      { name: 'first', shape: [2, 4] },
      { name: 'second', shape: [9, 4] },
    ]
    const rules = [{ match: '*', initializer, config: config as Record<string, unknown> }]
    const weights = await initializeModel({ parameters }, rules as never, {
      device: 'cpu',
      seed: 1,
      generator,
      ...options,
    })
    return pythonSnippet(weights.manifest())
  }

  test.each([
    ['sinusoidal', {}, 'torch-cpu', 'a sinusoid distribution has no equal in the Python program'],
    ['sinusoidal', {}, 'jax', 'a sinusoid distribution has no equal in the Python program'],
    [
      'sparse',
      { sparsity: 0.5, std: 0 },
      'torch-cpu',
      'a sparse distribution of zeros draws unseen in the Python program',
    ],
    ['orthogonal', { gain: 0 }, 'torch-cpu', 'an orthogonal distribution of zeros draws unseen in the Python program'],
  ] as const)('%s %j with %s', async (initializer, config, generator, message) => {
    await expectRefusal(
      () => snippet(initializer, config, generator),
      'INVALID_ARGUMENT',
      'pythonSnippet: parameter "first"',
      message,
      'Leave it out with skip',
    )
  })

  test('a manifest without a parameter that draws before others', async () => {
    // Two rows in three: the last shard has none of them.
    const shard = { axis: 0, index: 2, count: 3 }
    await expectRefusal(
      () => snippet('normal', {}, 'torch-cpu', { shard }),
      'INVALID_ARGUMENT',
      'a parameter that draws before "second" is missing from this manifest (an empty shard, or one that was taken out)',
      'take the manifest of the whole model',
    )
    // Where keys are by name nothing is missed.
    expect(await snippet('normal', {}, 'jax', { shard })).toContain('(9, 4,))')
  })
})
