// A manifest alone makes the same bits again, whatever the distribution and the generator; what cannot be data is refused.
import { describe, expect, test } from 'vitest'
import {
  createInitializer,
  defineInitializer,
  defineModel,
  defineSampler,
  type GeneratorOption,
  type Initializer,
  initializeModel,
  planModel,
  rematerialize,
} from '../../../src/index.js'
import { planFromManifest } from '../../../src/plan/manifest/read.js'
import { manifestOf } from '../../../src/plan/manifest/write.js'
import { expectRefusal } from '../../support/refusal.js'

const half = defineInitializer({
  name: 'half',
  distribution: () => ({ kind: 'truncated-normal', mean: 0, std: 1, low: 0.5, high: Number.POSITIVE_INFINITY }),
})

const distributions: [string, Initializer, object][] = [
  ['constant', createInitializer('constant', { value: 3 }), {}],
  ['uniform', createInitializer('uniform', {}), {}],
  ['normal', createInitializer('normal', {}), {}],
  ['truncated normal', createInitializer('truncated_normal', {}), {}],
  ['half-open truncated normal', half, {}],
  ['sparse', createInitializer('sparse', { sparsity: 0.3 }), {}],
  ['eye', createInitializer('eye', {}), {}],
  ['padding row', createInitializer('normal', {}), { role: 'embedding', paddingIndex: 2 }],
]

async function roundTrip(initializer: Initializer, spec: object, generator: GeneratorOption): Promise<void> {
  const model = defineModel({
    parameters: [
      { name: 'w', shape: [11, 7], role: 'weight', ...spec } as never,
      { name: 't', shape: [11, 7], tiedTo: 'w' },
      { name: 'v', shape: [9, 3], role: 'weight', dtype: 'bfloat16' },
    ],
  })
  const rules = [
    { match: 'w', initializer },
    { match: 'v', initializer: 'normal' },
  ]
  using weights = await initializeModel(model, rules as never, { device: 'cpu', seed: 7, generator })
  for (const manifest of [weights.manifest(), JSON.stringify(weights.manifest())]) {
    using again = await rematerialize(manifest, 'cpu')
    for (const name of ['w', 't', 'v']) expect(await again.readBytes(name)).toEqual(await weights.readBytes(name))
    expect(JSON.stringify(again.manifest())).toBe(JSON.stringify(weights.manifest()))
  }
}

describe('manifests', () => {
  test.each(distributions)('distribution: %s', async (_, initializer, spec) => roundTrip(initializer, spec, 'philox'))

  const generators: GeneratorOption[] = [
    'torch-cpu',
    { name: 'torch-cpu', variant: 'no-contraction' },
    'torch-cuda',
    { name: 'torch-cuda', gpu: 'A100' },
    'torch-stateless',
    'jax',
    { name: 'jax-legacy', keys: { w: [1, 2] } },
  ]
  test.each(generators)('generator: %o', async (generator) => {
    for (const [name, initializer, spec] of distributions) {
      if (!/truncated|sparse/.test(name)) await roundTrip(initializer, spec, generator)
    }
  })

  const truncated = createInitializer('truncated_normal', {})
  const sparse = createInitializer('sparse', { sparsity: 0.3 })
  const orthogonal = createInitializer('orthogonal', {})
  test.each<[GeneratorOption, Initializer[]]>([
    ['torch-cpu', [truncated, sparse, orthogonal]],
    [{ name: 'torch-cpu', truncation: 'inversion' }, [truncated]],
    ['torch-cuda', [truncated, sparse, orthogonal]],
    ['torch-stateless', [orthogonal]],
    ['jax', [truncated, orthogonal]],
    ['jax-legacy', [truncated, orthogonal]],
  ])('generator: %o, what takes several calls or keys', async (generator, initializers) => {
    for (const initializer of initializers) await roundTrip(initializer, {}, generator)
  })

  test.each(['torch-cpu', 'torch-cuda'] as const)(
    '%s: zeros that a sparse distribution draws unseen',
    async (generator) => {
      await roundTrip(createInitializer('sparse', { sparsity: 0.3, std: 0 }), {}, generator)
    },
  )

  /** Of 4 x 4 elements. */
  const misfits: [string, object][] = [
    ['a kind that is a list', { kind: ['normal'], mean: 0, std: 1 }],
    ['sparse, of other elements', { kind: 'sparse', std: 1, rows: 4, columns: 5, zeros: 1 }],
    ['sparse, of broken rows', { kind: 'sparse', std: 1, rows: 2.5, columns: 6.4, zeros: 1 }],
    ['sparse, of more zeros than rows', { kind: 'sparse', std: 1, rows: 4, columns: 4, zeros: 5 }],
    ['sinusoid', { kind: 'sinusoid', rows: 5, columns: 4, maxTimescale: 1e4, arrangement: 'halves' }],
    ['sinusoid, in no arrangement', { kind: 'sinusoid', rows: 4, columns: 4, maxTimescale: 1e4, arrangement: 'odd' }],
    ['orthogonal', { kind: 'orthogonal', gain: 1, batch: 2, rows: 4, columns: 4, field: 1, centre: 0, stride: 1 }],
    [
      'orthogonal, off its kernel',
      { kind: 'orthogonal', gain: 1, batch: 1, rows: 2, columns: 2, field: 4, centre: 4, stride: 4 },
    ],
    [
      'orthogonal, of several kernels',
      { kind: 'orthogonal', gain: 1, batch: 2, rows: 2, columns: 2, field: 2, centre: 0, stride: 2 },
    ],
    ['diagonal without runs', { kind: 'diagonal', value: 1, elementCount: 16 }],
    [
      'diagonal past the end',
      { kind: 'diagonal', value: 1, elementCount: 16, runs: [{ first: 0, stride: 5, count: 5 }] },
    ],
    [
      'diagonal, of runs that say more',
      { kind: 'diagonal', value: 1, elementCount: 16, runs: [{ first: 0, stride: 5, count: 4, kind: 'range' }] },
    ],
    ['diagonal of nothing', { kind: 'diagonal', value: 1, elementCount: 16, runs: [null] }],
    ['a bound that is text', { kind: 'truncated-normal', mean: 0, std: 1, low: '-1', high: 1 }],
    ['a mean that is null', { kind: 'normal', mean: null, std: 1 }],
    ['a field that nobody reads', { kind: 'normal', mean: 0, std: 1, low: 0 }],
  ]
  test.each(misfits)('a distribution that does not fit is refused: %s', async (_, distribution) => {
    const model = { parameters: [{ name: 'w', shape: [4, 4] }] }
    const manifest = JSON.parse(JSON.stringify(manifestOf(planModel(model, 'normal', {}, { seed: 1 }))))
    manifest.parameters[0].distribution = distribution
    await expect(rematerialize(manifest, 'cpu')).rejects.toMatchObject({
      code: expect.stringMatching(/^INVALID_(FILE|CONFIG)$/),
      message: expect.stringMatching(/"w".*distribution|"w".*sinusoids/),
    })
  })

  test('a sampler of the user has no place in a manifest: refused with the remedy', async () => {
    const sampler = defineSampler({
      name: 'ramp',
      wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return f32(word >> 8u); }',
      sample: (word) => word >>> 8,
      moments: () => ({ mean: 2 ** 23, std: 2 ** 23 }),
    })
    const model = { parameters: [{ name: 'w', shape: [4, 4] }] }
    using weights = await initializeModel(model, sampler(), { device: 'cpu', seed: 1 })
    await expect(rematerialize(weights.manifest(), 'cpu')).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/"w".*initializeModel/),
    })
  })

  test('faults in generator, source, padding and distribution are named', async () => {
    const model = { parameters: [{ name: 'w', shape: [4, 4] }] }
    using weights = await initializeModel(model, 'normal', {}, { device: 'cpu', seed: 1, generator: 'torch-cpu' })
    const manifest = JSON.parse(JSON.stringify(weights.manifest()))
    const [entry] = manifest.parameters
    const faults: [object, RegExp][] = [
      [{ ...manifest, generatorSettings: undefined }, /generatorSettings/],
      [{ ...manifest, generatorSettings: { name: 'jax' } }, /"jax"/],
      [{ ...manifest, parameters: [{ ...entry, generatorSource: undefined }] }, /"w".*generatorSource/],
      [
        { ...manifest, parameters: [{ ...entry, generatorSource: { ...entry.generatorSource, count: 9 } }] },
        /generatorSource\.count/,
      ],
      [
        { ...manifest, parameters: [{ ...entry, generatorSource: { ...entry.generatorSource, position: -1 } }] },
        /generatorSource\.position/,
      ],
      [
        {
          ...manifest,
          parameters: [{ ...entry, generatorSource: { ...entry.generatorSource, position: 2 ** 53 - 20 } }],
        },
        /generatorSource\.position/,
      ],
      [{ ...manifest, parameters: [{ ...entry, padding: { first: 15, count: 2 } }] }, /padding/],
      [{ ...manifest, parameters: [{ ...entry, distribution: { kind: 'sparse', std: 1 } }] }, /distribution\.rows/],
    ]
    for (const [bad, message] of faults) {
      await expect(rematerialize(bad, 'cpu')).rejects.toMatchObject({ message: expect.stringMatching(message) })
    }
  })

  test('sizes that a generator cannot make, and a padding row in an orthogonal matrix, are refused', async () => {
    const huge = { parameters: [{ name: 'w', shape: [2 ** 31 - 1] }] }
    for (const [generator, most] of [
      [{ name: 'torch-cuda', gpu: 'A100' }, 2 ** 31 - 1],
      ['jax-legacy', 2 ** 32 - 2],
    ] as [GeneratorOption, number][]) {
      const plan = planModel(huge, [{ match: '*', initializer: 'normal' }], { seed: 1, generator })
      const manifest = JSON.parse(JSON.stringify(manifestOf(plan)))
      const [entry] = manifest.parameters
      entry.shape = [most + 1]
      if (entry.generatorSource.count !== undefined) entry.generatorSource.count = most + 1
      await expectRefusal(() => planFromManifest(manifest), 'INVALID_FILE', '"w"', `at most ${most} elements`)
    }
    const square = { parameters: [{ name: 'w', shape: [4, 4] }] }
    const manifest = JSON.parse(JSON.stringify(manifestOf(planModel(square, 'orthogonal', {}, { seed: 1 }))))
    manifest.parameters[0].padding = { first: 0, count: 4 }
    await expectRefusal(() => planFromManifest(manifest), 'INVALID_FILE', '"w"', 'no padding row')
  })

  test('a draw at the end of the longest stream is made at once', async () => {
    const model = { parameters: [{ name: 'w', shape: [40] }] }
    const rules = [{ match: '*', initializer: 'normal' }]
    const plan = planModel(model, rules as never, { seed: 1, generator: 'torch-cpu' })
    const manifest = JSON.parse(JSON.stringify(manifestOf(plan)))
    manifest.parameters[0].generatorSource.position = 2 ** 52
    using weights = await rematerialize(manifest, 'cpu')
    const values = await weights.read('w')
    expect(values.every((x) => Number.isFinite(x) && Math.abs(x) < 6)).toBe(true)
    expect(new Set(values).size).toBe(40)
  })
})
