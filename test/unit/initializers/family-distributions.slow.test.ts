// Every initializer against the distribution that its source documents: the table is test/support/families.ts. Kolmogorov-Smirnov
// and moments of every random distribution in every dtype, exact values of the others, mistakes, and the names of the libraries.
//
// False alarms: each sample's distance exceeds its limit with probability 3e-8, each of its two moments with 2e-9; for all
// samples together below 1e-5, were the seed drawn anew. It is fixed.
import { describe, expect, test } from 'vitest'
import { decodeFloat32 } from '../../../src/core/decode.js'
import { floatDTypes } from '../../../src/core/dtype.js'
import { fillBytes } from '../../../src/cpu/fill.js'
import { fillJob, orthogonalNormals } from '../../../src/fill/make-job.js'
import { createInitializer, initializeModel, initializerNames, planModel } from '../../../src/index.js'
import type { FillSource } from '../../../src/ir/job.js'
import { type FamilyCase, families } from '../../support/families.js'
import {
  ksDistance,
  ksLimit,
  momentScores,
  momentsOfDistribution,
  sphereCoordinateDistribution,
} from '../../support/references/distributions.js'
import { expectRefusal, untouchableDevice } from '../../support/refusal.js'

const seed = 20_261
const dtypes = floatDTypes
const rows = families.flatMap(({ name, cases }) => cases.map((one) => [name, one.what, one] as const))

/** torch_default is for every role; the others leave biases to their defaults. */
const asRules = (name: string, { config }: FamilyCase) => [{ match: '*', initializer: name, config }] as const

test('the table has a row for every name', () => {
  expect(families.map(({ name }) => name).sort()).toEqual([...initializerNames].sort())
})

describe.each(dtypes)('values in %s', (dtype) => {
  test.each(rows)('%s %s', async (name, _, one) => {
    const weights = await initializeModel(one.model, asRules(name, one) as never, { device: 'cpu', seed, dtype })
    const values = new Map<string, Float32Array>()
    for (const parameter of weights.parameters.keys()) values.set(parameter, await weights.read(parameter))
    expect(one.flaw(values, dtype)).toBeUndefined()
    for (const { what, values: sample, distribution } of one.samples(values)) {
      expect(ksDistance(sample, distribution, dtype), `${what}: Kolmogorov-Smirnov`).toBeLessThan(
        ksLimit(sample.length),
      )
      const { mean, variance } = momentScores(sample, distribution, dtype)
      expect(Math.abs(mean), `${what}: mean`).toBeLessThan(6)
      expect(Math.abs(variance), `${what}: variance`).toBeLessThan(6)
    }
  })
})

test.each(rows.filter(([name]) => name !== 'sparse'))('%s %s: what the plan promises', (name, _, one) => {
  const { parameters } = planModel(one.model, asRules(name, one) as never, { seed })
  const nothing = new Map(
    parameters.map(({ name: parameter, elementCount }) => [parameter, new Float32Array(elementCount)]),
  )
  const [sample] = one.samples(nothing)
  if (sample === undefined || name === 'delta_orthogonal') return
  const { mean, variance } = momentsOfDistribution(sample.distribution)
  const { expected } = parameters[0]!
  expect(Math.abs(expected.mean - mean)).toBeLessThan(1e-6 * Math.sqrt(variance))
  expect(Math.abs(expected.std / Math.sqrt(variance) - 1)).toBeLessThan(1e-6)
})

describe('the tests themselves', () => {
  test('a coordinate on the sphere: known distributions', () => {
    // n = 2: arcsine; n = 3: uniform (Archimedes); variance 1 / n.
    expect(sphereCoordinateDistribution(2).cdf(0.5)).toBeCloseTo(0.5 + Math.asin(0.5) / Math.PI, 14)
    expect(sphereCoordinateDistribution(3).cdf(0.3)).toBeCloseTo(0.65, 14)
    for (const n of [2, 3, 4, 5, 6, 33])
      expect(momentsOfDistribution(sphereCoordinateDistribution(n)).variance).toBeCloseTo(1 / n, 5)
  })

  test.each(rows)('%s %s: a wrong distribution is found', async (name, _, one) => {
    const weights = await initializeModel(one.model, asRules(name, one) as never, { device: 'cpu', seed })
    const values = new Map<string, Float32Array>()
    for (const parameter of weights.parameters.keys()) values.set(parameter, await weights.read(parameter))
    for (const { values: sample, distribution } of one.samples(values)) {
      // Wider by three tenths; aside by six tenths of a standard deviation.
      const { mean, variance } = momentsOfDistribution(distribution)
      const wide = sample.map((x) => mean + 1.3 * (x - mean))
      const aside = sample.map((x) => x + 0.6 * Math.sqrt(variance))
      expect(Math.abs(momentScores(wide, distribution).variance)).toBeGreaterThan(6)
      expect(Math.abs(momentScores(aside, distribution).mean)).toBeGreaterThan(6)
      expect(ksDistance(aside, distribution, 'float32')).toBeGreaterThan(ksLimit(sample.length))
    }
  })
})

test.each([
  [7, 7],
  [9, 4],
  [5, 12],
])('orthogonal %i x %i is the Q of its normals, R with a positive diagonal', (m, n) => {
  const { parameters } = planModel(
    { parameters: [{ name: 'w', shape: [40, m, n], batchAxes: 1 }] },
    'orthogonal',
    {},
    { seed },
  )
  const job = fillJob(parameters[0]!)
  const normals = orthogonalNormals(job.source as FillSource & { kind: 'orthogonal' })[0]!
  const a = decodeFloat32(fillBytes(normals, 0, normals.elementCount), 'float32')
  const q = decodeFloat32(fillBytes(job, 0, job.elementCount), 'float32')
  const [length, count] = [Math.max(m, n), Math.min(m, n)]
  const at = (matrix: number, i: number, j: number): number => matrix * m * n + (m >= n ? i * n + j : j * n + i)
  for (let matrix = 0; matrix < 40; matrix++) {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j <= i; j++) {
        let r = 0
        for (let k = 0; k < length; k++) r += q[at(matrix, k, i)]! * a[at(matrix, k, j)]!
        if (i === j) expect(r).toBeGreaterThan(0)
        else expect(Math.abs(r)).toBeLessThan(1e-5)
      }
    }
  }
})

describe('mistakes', () => {
  const mistakes = families.flatMap(({ name, refused }) => refused.map((mistake) => [name, ...mistake] as const))
  test.each(mistakes)('%s: %s', async (name, _, facts, config, code, message) => {
    const { device, touches } = untouchableDevice()
    const model = { parameters: [{ name: 'layer.w', shape: [6, 4], role: 'weight' as const, ...facts }] }
    const act = () => initializeModel(model, name as never, config, { device, seed: 1 })
    // What the shape is to blame for names the parameter; what the settings are, the initializer.
    await expectRefusal(act, code, ...(code === 'INVALID_SHAPE' ? ['"layer.w"'] : []))
    await expect(act()).rejects.toThrow(message)
    expect(touches).toEqual([])
  })
})

describe('the names of other libraries', () => {
  /** Library's name -> our name, and the settings that make it that library's; or why it is no initializer. */
  type Names = Readonly<Record<string, readonly [name: string, config?: object] | string>>

  // torch 2.13.0, torch.nn.init.__all__; the names without underscore are deprecated aliases of those with it.
  const torch: Names = {
    calculate_gain: 'a function: calculateGain',
    uniform_: ['uniform'],
    normal_: ['normal'],
    trunc_normal_: ['trunc_normal'],
    constant_: ['constant', { value: 3 }],
    ones_: ['ones'],
    zeros_: ['zeros'],
    eye_: ['eye'],
    dirac_: ['dirac'],
    xavier_uniform_: ['xavier_uniform'],
    xavier_normal_: ['xavier_normal'],
    kaiming_uniform_: ['kaiming_uniform'],
    kaiming_normal_: ['kaiming_normal'],
    orthogonal_: ['orthogonal'],
    sparse_: ['sparse', { sparsity: 0.1 }],
    uniform: ['uniform'],
    normal: ['normal'],
    constant: ['constant', { value: 3 }],
    eye: ['eye'],
    dirac: ['dirac'],
    xavier_uniform: ['xavier_uniform'],
    xavier_normal: ['xavier_normal'],
    kaiming_uniform: ['kaiming_uniform'],
    kaiming_normal: ['kaiming_normal'],
    orthogonal: ['orthogonal'],
    sparse: ['sparse', { sparsity: 0.1 }],
  }

  // jax 0.10, jax.nn.initializers. kaiming_* and xavier_* are its aliases of he_* and glorot_*.
  const jax: Names = {
    Initializer: 'a type: Initializer',
    constant: ['constant', { value: 3 }],
    delta_orthogonal: ['delta_orthogonal'],
    glorot_normal: ['glorot_normal'],
    glorot_uniform: ['glorot_uniform'],
    he_normal: ['he_normal'],
    he_uniform: ['he_uniform'],
    kaiming_normal: ['he_normal'],
    kaiming_uniform: ['he_uniform'],
    lecun_normal: ['lecun_normal'],
    lecun_uniform: ['lecun_uniform'],
    normal: ['normal', { std: 0.01 }],
    ones: ['ones'],
    orthogonal: ['orthogonal'],
    truncated_normal: ['truncated_normal'],
    uniform: ['uniform', { a: 0, b: 0.01 }],
    variance_scaling: ['variance_scaling', { scale: 1, mode: 'fan_avg', distribution: 'normal' }],
    xavier_normal: ['glorot_normal'],
    xavier_uniform: ['glorot_uniform'],
    zeros: ['zeros'],
  }

  // keras 3.15, keras.initializers.
  const keras: Names = {
    Initializer: 'a class: Initializer',
    get: 'a function: createInitializer',
    serialize: 'a function: an initializer has name and config',
    deserialize: 'a function: createInitializer',
    STFT: 'a fixed transform',
    STFTInitializer: 'a fixed transform',
    stft: 'a fixed transform',
    Constant: ['constant', { value: 3 }],
    GlorotNormal: ['glorot_normal'],
    GlorotUniform: ['glorot_uniform'],
    HeNormal: ['he_normal'],
    HeUniform: ['he_uniform'],
    Identity: ['identity'],
    IdentityInitializer: ['identity'],
    LecunNormal: ['lecun_normal'],
    LecunUniform: ['lecun_uniform'],
    Ones: ['ones'],
    Orthogonal: ['orthogonal'],
    OrthogonalInitializer: ['orthogonal'],
    RandomNormal: ['random_normal'],
    RandomUniform: ['random_uniform'],
    TruncatedNormal: ['truncated_normal', { std: 0.05 }],
    VarianceScaling: ['variance_scaling'],
    Zeros: ['zeros'],
    constant: ['constant', { value: 3 }],
    glorot_normal: ['glorot_normal'],
    glorot_uniform: ['glorot_uniform'],
    he_normal: ['he_normal'],
    he_uniform: ['he_uniform'],
    identity: ['identity'],
    lecun_normal: ['lecun_normal'],
    lecun_uniform: ['lecun_uniform'],
    ones: ['ones'],
    orthogonal: ['orthogonal'],
    random_normal: ['random_normal'],
    random_uniform: ['random_uniform'],
    truncated_normal: ['truncated_normal', { std: 0.05 }],
    variance_scaling: ['variance_scaling'],
    zeros: ['zeros'],
  }

  const all = Object.entries({ torch, jax, keras }).flatMap(([library, names]) =>
    Object.entries(names).map(([name, ours]) => [library, name, ours] as const),
  )
  test.each(all.filter(([, , ours]) => typeof ours !== 'string'))('%s %s', (library, name, ours) => {
    const [own, config = {}] = ours as readonly [string, object?]
    expect(initializerNames).toContain(own)
    const made = createInitializer(own, config as never)
    // The spelling works as a string too, where it means the same: JAX's kaiming_* and xavier_* are PyTorch's names.
    if (library === 'jax' && /^(kaiming|xavier)/.test(name)) return
    const spelled = createInitializer(name, config as never)
    expect(spelled.constructor).toBe(made.constructor)
    expect(spelled.config).toEqual(made.config)
  })

  test.each(['STFT', 'STFTInitializer', 'stft'])('%s says why it is left out', (name) => {
    expect(() => createInitializer(name)).toThrow(/fixed transform/)
  })
})
