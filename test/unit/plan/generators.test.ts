// Generators of other libraries in whole models: which words each parameter takes, what is refused, verify and dtypes.
import { describe, expect, test } from 'vitest'
import { fillBytes } from '../../../src/cpu/fill.js'
import { fillJob } from '../../../src/fill/make-job.js'
import {
  initializeModel,
  NormalInitializer,
  planModel,
  TorchGenerator,
  UniformInitializer,
} from '../../../src/index.js'
import type { GeneratorOption } from '../../../src/ir/generator.js'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { expectTensor, type GoldenTensor, hashOf } from '../../support/golden/torch-cpu-hashes.js'
import { bitsOf, loadVectors } from '../../support/golden/vectors.js'

const every: readonly GeneratorOption[] = [
  'torch-cpu',
  { name: 'torch-cpu', variant: 'no-contraction' },
  'torch-cuda',
  { name: 'torch-cuda', threads: 1024 },
  'torch-stateless',
  'jax',
  'jax-legacy',
]

const mixed: readonly ParameterSpec[] = [
  { name: 'a.weight', shape: [5, 7] },
  { name: 'a.bias', shape: [5] },
  { name: 'b.weight', shape: [3, 3] },
  { name: 'c.weight', shape: [3] },
  { name: 'd.weight', shape: [101, 37] },
  { name: 'e.weight', shape: [1, 1] },
  { name: 'f.weight', shape: [4, 4] },
]
const rules = [
  { match: 'a.bias', initializer: 'constant', config: { value: 2 } },
  { match: '{a,d}.weight', initializer: new NormalInitializer({ mean: 0.5, std: 0.3 }) },
  { match: '{b,c,e}.weight', initializer: new NormalInitializer({ std: 0.02 }) },
  { match: '*', initializer: new UniformInitializer({ a: 2, b: 5.5 }) },
] as const

/** Calls of TorchGenerator in the order of a PyTorch program. */
function asTorch(seed: number, variant: 'fma' | 'no-contraction' = 'fma'): Record<string, number[]> {
  const g = new TorchGenerator(seed, { variant })
  return {
    'a.weight': bitsOf(g.normal(35, 0.5, 0.3)),
    'b.weight': bitsOf(g.normal(9, 0, 0.02)),
    'c.weight': bitsOf(g.normal(3, 0, 0.02)),
    'd.weight': bitsOf(g.normal(101 * 37, 0.5, 0.3)),
    'e.weight': bitsOf(g.normal(1, 0, 0.02)),
    'f.weight': bitsOf(g.uniform(16, 2, 5.5)),
  }
}

describe('torch-cpu', () => {
  test.each(['fma', 'no-contraction'] as const)(
    '%s: the draws of a model in its order; constants draw nothing',
    async (variant) => {
      for (const seed of [0, 7, -3, 123456789012]) {
        const generator = { name: 'torch-cpu', variant } as const
        const weights = await initializeModel({ parameters: mixed }, rules, { device: 'cpu', seed, generator })
        for (const [name, expected] of Object.entries(asTorch(seed, variant))) {
          expect(bitsOf(await weights.read(name))).toEqual(expected)
        }
        expect([...(await weights.read('a.bias'))]).toEqual([2, 2, 2, 2, 2])
        expect((await weights.verify()).ok).toBe(true)
      }
    },
  )

  test('a distribution without spread is a constant that still draws; skipped and tied parameters do not', () => {
    const parameters: ParameterSpec[] = [
      { name: 'x', shape: [4, 4] },
      { name: 'y', shape: [3, 5] },
      { name: 'skipped', shape: [100, 4] },
      { name: 'tied', shape: [4, 4], tiedTo: 'x' },
      { name: 'z', shape: [2, 2] },
    ]
    const plan = planModel(
      { parameters },
      [
        { match: 'x', initializer: new UniformInitializer({ a: 1, b: 1 }) },
        { match: 'y', initializer: new NormalInitializer({ mean: 1, std: 0 }) },
        { match: '*', initializer: new UniformInitializer() },
      ],
      { seed: 1, generator: 'torch-cpu', skip: 'skipped' },
    )
    expect(plan.parameters.map(({ distribution }) => distribution.kind).slice(0, 2)).toEqual(['constant', 'constant'])
    // 16 words for x; eight pairs of four words for y, of which one normal is left.
    expect(
      plan.parameters.map(({ generatorSource }) => (generatorSource as { position?: number } | undefined)?.position),
    ).toEqual([0, 16, undefined, undefined, 48])
  })

  test('default initialisation of a Sequential', async () => {
    const { modules } = loadVectors<{
      modules: Record<string, Record<string, { params: Record<string, GoldenTensor> }>>
    }>('torch_cpu_draws.json')
    for (const [seed, rows] of Object.entries(modules)) {
      const { params } = rows['Sequential(Linear(784,256),ReLU,Linear(256,64),ReLU,Linear(64,10))']!
      const parameters = Object.entries(params).map(([name, { shape }]) => ({ name, shape }))
      const bias = (fanIn: number) => new UniformInitializer({ a: -1 / Math.sqrt(fanIn), b: 1 / Math.sqrt(fanIn) })
      const weights = await initializeModel(
        { parameters },
        [
          {
            match: '*.weight',
            initializer: 'kaiming_uniform',
            config: { nonlinearity: 'leaky_relu', a: Math.sqrt(5) },
          },
          { match: '0.bias', initializer: bias(784) },
          { match: '2.bias', initializer: bias(256) },
          { match: '4.bias', initializer: bias(64) },
        ],
        { device: 'cpu', seed: BigInt(seed), generator: 'torch-cpu' },
      )
      for (const [name, golden] of Object.entries(params)) expectTensor(await weights.read(name), golden)
    }
  })
})

describe('torch-cuda', () => {
  test('offsets advance with every drawing parameter', () => {
    const plan = planModel({ parameters: mixed }, rules, {
      seed: 2n ** 64n - 1n,
      generator: { name: 'torch-cuda', threads: 256 },
    })
    const offsets = plan.parameters.map(
      ({ generatorSource }) => (generatorSource as { offset?: string } | undefined)?.offset,
    )
    expect(offsets).toEqual(['0', undefined, '4', '8', '12', '28', '32'])
    expect(plan.generatorSettings).toEqual({ name: 'torch-cuda', layout: 'torch-cuda-v1', threads: 256 })
    expect(plan.parameters[0]!.generatorSource).toEqual({
      generator: 'torch-cuda',
      seed: '18446744073709551615',
      offset: '0',
      threads: 256,
    })
  })

  test('above 40,960 elements the GPU must be named', () => {
    const model = (count: number) => ({ parameters: [{ name: 'w', shape: [count, 1] }] })
    const plan = (count: number, generator: GeneratorOption) =>
      planModel(model(count), 'normal', {}, { seed: 1, generator })
    plan(40960, 'torch-cuda')
    expect(() => plan(40961, 'torch-cuda')).toThrow(/Parameter "w" has 40961 elements: above 40960 .* gpu: 'A100'/)
    expect(() => plan(2 ** 31, { name: 'torch-cuda', gpu: 'A100' })).toThrow(/at most 2\^31 - 1/)
    expect(plan(50000, { name: 'torch-cuda', gpu: 'nvidia t4' }).parameters[0]!.generatorSource).toMatchObject({
      threads: 40960,
    })
    expect(plan(50000, { name: 'torch-cuda', gpu: 'A100' }).parameters[0]!.generatorSource).toMatchObject({
      threads: 50176,
    })
  })
})

describe('jax', () => {
  test('a parameter has fold_in(key(seed), crc32(name)), or the key it is given', () => {
    const key = [1, 2] as const
    const plan = planModel({ parameters: mixed }, rules, {
      seed: 42,
      generator: { name: 'jax', keys: { 'b.weight': key } },
    })
    expect(plan.parameters[2]!.generatorSource).toEqual({ generator: 'jax', key, count: 9 })
    const reordered = planModel({ parameters: [...mixed].reverse() }, rules, { seed: 42, generator: 'jax' })
    expect(reordered.parameters.at(-1)!.generatorSource).toEqual(plan.parameters[0]!.generatorSource)
  })

  test('two names of one CRC-32 are refused, unless one has a key', () => {
    // 'plumless' and 'buckeroo' are the well-known pair.
    const parameters = [
      { name: 'plumless', shape: [2, 2] },
      { name: 'buckeroo', shape: [2, 2] },
    ]
    const plan = (generator: GeneratorOption) => planModel({ parameters }, 'normal', {}, { seed: 1, generator })
    expect(() => plan('jax')).toThrow(/Parameter "buckeroo".*same CRC-32 as "plumless".*keys: \{ "buckeroo"/)
    plan({ name: 'jax', keys: { buckeroo: [0, 1] } })
  })
})

describe.each(every.map((generator) => [JSON.stringify(generator), generator] as const))('%s', (_, generator) => {
  test('any part of a parameter is that part of the whole', () => {
    const plan = planModel({ parameters: mixed }, rules, { seed: 11, generator })
    for (const parameter of plan.parameters) {
      const job = fillJob(parameter)
      const whole = fillBytes(job, 0, parameter.elementCount)
      for (const [first, count] of [
        [0, 1],
        [1, 2],
        [3, 17],
        [15, 20],
        [16, 16],
        [3700, 37],
        [parameter.elementCount - 1, 1],
        [parameter.elementCount - 18, 9],
        [parameter.elementCount - 17, 17],
      ] as const) {
        if (first < 0 || first + count > parameter.elementCount) continue
        const part = fillBytes(job, first, count)
        expect(Buffer.from(part).equals(Buffer.from(whole.subarray(4 * first, 4 * (first + count))))).toBe(true)
      }
    }
  })

  test('float16 and bfloat16 are the rounded float32; the manifest is JSON', async () => {
    const options = { device: 'cpu', seed: 5, generator } as const
    const full = await initializeModel({ parameters: mixed }, rules, options)
    const half = await initializeModel({ parameters: mixed }, rules, { ...options, dtype: 'bfloat16' })
    for (const { name } of full.plan.parameters) {
      const exact = await full.read(name)
      const rounded = await half.read(name)
      expect(
        Math.max(...exact.map((x, i) => Math.abs(x - rounded[i]!) / Math.max(1e-30, Math.abs(x)))),
      ).toBeLessThanOrEqual(2 ** -8)
    }
    expect((await half.verify()).ok).toBe(true)
    const manifest = JSON.parse(JSON.stringify(full.manifest()))
    expect(manifest.generatorSettings).toEqual(full.plan.generatorSettings)
    expect(manifest.parameters[0].generatorSource).toEqual(full.plan.parameters[0]!.generatorSource)
  })
})

test('the default generator adds nothing to plans and manifests', async () => {
  const weights = await initializeModel({ parameters: mixed }, rules, { device: 'cpu', seed: 5 })
  expect(weights.plan.generator).toBe('philox')
  expect(weights.plan.toJSON()).not.toHaveProperty('generatorSettings')
  expect(weights.manifest()).not.toHaveProperty('generatorSettings')
  expect(weights.plan.parameters.every((p) => !('source' in p))).toBe(true)
  expect(hashOf(await weights.read('d.weight'))).toMatch(/^[0-9a-f]{64}$/)
})

test.each([
  [
    'an unknown generator',
    'mt',
    /Unknown generator "mt"; known: philox, torch-cpu, torch-cuda, torch-stateless, jax, jax-legacy/,
  ],
  ['no name', {}, /Unknown generator undefined/],
  [
    'an unknown setting',
    { name: 'torch-cpu', threads: 3 },
    /Unknown generator torch-cpu key "threads"; known keys: name, variant/,
  ],
  ['an unknown variant', { name: 'torch-cpu', variant: 'avx' }, /variant must be 'fma' or 'no-contraction'/],
  ['threads and gpu', { name: 'torch-cuda', threads: 256, gpu: 'T4' }, /give threads or gpu, not both/],
  ['odd threads', { name: 'torch-cuda', threads: 1000 }, /threads must be a positive multiple of 256/],
  ['a key that is no key', { name: 'jax', keys: { w: [1] } }, /keys\["w"\] must be a key \[high, low\]/],
])('refuses %s', (_, generator, message) => {
  const call = () => planModel({ parameters: mixed }, rules, { seed: 1, generator: generator as 'jax' })
  expect(call).toThrow(message)
})
