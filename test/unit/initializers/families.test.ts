// What is special to one family: truncated normals, identity, dirac, sparse, torch defaults, gains, fans, custom. What all have
// in common is in family-distributions.slow.test.ts.
import { describe, expect, test } from 'vitest'
import { decodeFloat32 } from '../../../src/core/decode.js'
import { floatDTypes } from '../../../src/core/dtype.js'
import { fillBytes } from '../../../src/cpu/fill.js'
import { fillJob } from '../../../src/fill/make-job.js'
import { inversionDistribution } from '../../../src/generators/torch/truncated.js'
import {
  activationGain,
  activationNames,
  conv2d,
  convTranspose2d,
  createInitializer,
  DiracInitializer,
  type Distribution,
  defineInitializer,
  defineSampler,
  EyeInitializer,
  embedding,
  gru,
  type InitializerArgument,
  initializeModel,
  layerNorm,
  linear,
  lstm,
  type Model,
  minusTwoLog,
  normal,
  planModel,
  SparseInitializer,
  sequential,
  TruncatedNormalInitializer,
  TruncatedNormalSigmaInitializer,
} from '../../../src/index.js'
import { inverseNormalTail } from '../../../src/random/inverse-normal.js'
import { expMinus, normalSf } from '../../../src/random/normal-cdf.js'
import { permutedRow, sparseHalfBits } from '../../../src/random/sparse.js'
import { truncatedNormalMoments } from '../../../src/random/truncated-normal.js'
import { hexOf } from '../../support/golden/vectors.js'
import { ksDistance, ksLimit, truncatedDistribution } from '../../support/references/distributions.js'
import { parseHexFloat } from '../../support/references/exact-float.js'
import formulas from '../../vectors/torch_trunc_normal.json' with { type: 'json' }

const cpu = { device: 'cpu', seed: 11 } as const
const matrix = (shape: readonly number[], facts: object = {}): Model => ({
  parameters: [{ name: 'w', shape: [...shape], role: 'weight', ...facts }] as never,
})
const planned = (model: Model, initializer: InitializerArgument, config = {}) =>
  planModel(model, initializer as string as never, config, { seed: 1 }).parameters
async function values(model: Model, initializer: InitializerArgument, name = 'w'): Promise<Float32Array> {
  const weights = await initializeModel(model, initializer as never, cpu as never)
  return weights.read(name)
}

describe('the normal distribution function, float64', () => {
  // Abramowitz and Stegun, table 26.2, and known tails.
  test.each([
    [0, 0.5],
    [1, 0.15865525393145707],
    [1.7, 0.044565462758543006],
    [2, 0.022750131948179212],
    [5, 2.866515718791939e-7],
    [8, 6.220960574271785e-16],
    [12, 1.776482112077679e-33],
  ])('1 - Phi(%f)', (z, tail) => {
    expect(Math.abs(normalSf(z) / tail - 1)).toBeLessThan(2e-14)
    expect(Math.abs(normalSf(-z) - (1 - tail))).toBeLessThan(2e-15)
  })

  test('e^-x', () => {
    for (let x = 0; x < 700; x += 0.37) expect(Math.abs(expMinus(x) / Math.exp(-x) - 1)).toBeLessThan(3e-15)
  })
})

describe('the inverse of the normal distribution function', () => {
  test('|z - exact| <= 5e-7 max(1, |z|) over its whole range, both seams included', () => {
    let worst = 0
    // z known, q from it: the float32 nearest to q moves z by dq / density, which is taken out.
    for (let z = 0; z < 11; z += 1.3e-4) {
      const q = Math.fround(Math.min(0.5, normalSf(z)))
      let exact = z
      for (let i = 0; i < 3; i++)
        exact += (normalSf(exact) - q) / (Math.exp((-exact * exact) / 2) / Math.sqrt(2 * Math.PI))
      worst = Math.max(worst, Math.abs(inverseNormalTail(q, Math.fround(1 - 2 * q)) - exact) / Math.max(1, exact))
    }
    expect(worst).toBeLessThan(5e-7)
  })
})

describe('truncated normals', () => {
  test.each(Object.entries(formulas))("PyTorch's %s: mean, std and the constants of its inversion", (text, row) => {
    const [mean = 0, std = 0, low = 0, high = 0] = [...text.matchAll(/=(-?[\d.]+)/g)].map(([, n]) => Number(n))
    const moments = truncatedNormalMoments({ mean, std, low, high })
    expect(Math.abs(moments.mean - row.true_mean)).toBeLessThan(1e-12)
    expect(Math.abs(moments.std / row.true_std - 1)).toBeLessThan(1e-9)
    // What PyTorch up to 2.12 inverts: float32 bounds of a uniform, and a factor.
    const { uniform, scale } = inversionDistribution({ kind: 'truncated-normal', mean, std, low, high })
    const bounds = uniform as { low: number; high: number }
    expect([hexOf(bounds.low), hexOf(bounds.high)]).toEqual([row.uniform_lo_f32, row.uniform_hi_f32])
    expect(scale).toBe(parseHexFloat(row['mul std*sqrt2']))
    for (const [found, expected, place] of [
      [bounds.low, row['uniform_lo 2l-1'], row.l],
      [bounds.high, row['uniform_hi 2u-1'], row.u],
    ] as const) {
      expect(Math.abs(found - parseHexFloat(expected))).toBeLessThan(4e-16)
      expect(Math.abs((found + 1) / 2 - place)).toBeLessThan(4e-16)
    }
  })

  test.each([
    ['two sigma', 0, 1, -2, 2],
    ['one side', 0.5, 0.3, 0.4, 100],
    ['far upper tail', 0, 1, 6, 7],
    ['far lower tail', 3, 2, -12, -10],
    ['a sliver', 0, 1, 1, 1.001],
    ['nothing cut', 0, 0.02, -2, 2],
  ])('%s: within its bounds, Kolmogorov-Smirnov and both moments', async (_, mean, std, a, b) => {
    const n = 200_000
    const drawn = await values(matrix([n]), new TruncatedNormalInitializer({ mean, std, a, b }))
    const sorted = Float64Array.from(drawn).sort()
    expect(sorted[0]).toBeGreaterThanOrEqual(a)
    expect(sorted[n - 1]).toBeLessThanOrEqual(b)
    // The float32 grid of the sliver adds its half step.
    const distance = ksDistance(drawn, truncatedDistribution(mean, std, a, b), 'float32')
    expect(distance).toBeLessThan(ksLimit(n) + 2 ** -24 / (b - a))
    const moments = truncatedNormalMoments({ mean, std, low: a, high: b })
    const measured = sorted.reduce((sum, x) => sum + x, 0) / n
    // Six standard errors: false alarm 2e-9.
    expect(Math.abs(measured - moments.mean)).toBeLessThan(
      (6 * moments.std) / Math.sqrt(n) + 1e-7 * Math.abs(moments.mean),
    )
  })

  test('bounds in sigma, bounds in absolute values', () => {
    expect(
      planned(matrix([4, 4]), new TruncatedNormalSigmaInitializer({ mean: 1, std: 0.5 }))[0]!.distribution,
    ).toEqual({
      kind: 'truncated-normal',
      mean: 1,
      std: 0.5,
      low: 0,
      high: 2,
    })
    // std = sqrt(scale / fan_in) after truncation, which is what JAX and Keras correct for.
    const { expected } = planned(matrix([64, 100]), 'lecun_normal')[0]!
    expect(Math.abs(expected.std / 0.1 - 1)).toBeLessThan(1e-12)
  })
})

describe('eye and dirac', () => {
  test.each([
    [3, 3],
    [2, 5],
    [5, 2],
    [1, 4],
    [4, 1],
  ])('eye %i x %i', async (rows, columns) => {
    const got = await values(matrix([rows, columns]), new EyeInitializer({ gain: 2.5 }))
    expect([...got]).toEqual(
      Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? 2.5 : 0)),
    )
  })

  test.each([
    [[4, 3, 3], 1],
    [[6, 2, 3, 5], 3],
    [[4, 4, 1, 2, 3], 2],
    [[5, 1, 4], 5],
  ] as const)('dirac %j, groups %i', async (shape, groups) => {
    const got = await values(matrix(shape), new DiracInitializer({ groups }))
    const expected = new Float32Array(got.length)
    const [out, inputs, ...kernel] = shape as unknown as [number, number, ...number[]]
    const field = kernel.reduce((a, b) => a * b, 1)
    const centre = kernel.reduce((at, k) => at * k + Math.floor(k / 2), 0)
    for (let g = 0; g < groups; g++) {
      for (let d = 0; d < Math.min(out / groups, inputs); d++)
        expected[((g * out) / groups + d) * inputs * field + d * field + centre] = 1
    }
    expect(got).toEqual(expected)
  })
})

describe('sparse', () => {
  test.each([
    [10, 7, 0.3],
    [97, 31, 0.5],
    [5, 3, 0],
    [1, 9, 0.5],
    [64, 5, 0.999],
  ])('%i x %i, sparsity %f: ceil(sparsity * rows) zeros in every column', async (rows, columns, sparsity) => {
    const got = await values(matrix([rows, columns]), new SparseInitializer({ sparsity }))
    for (let c = 0; c < columns; c++) {
      let zeros = 0
      for (let r = 0; r < rows; r++) if (got[r * columns + c] === 0) zeros++
      expect(zeros).toBe(Math.ceil(sparsity * rows))
    }
  })

  test.each([1, 2, 3, 4, 5, 16, 17, 100, 1000])('the row permutation of %i rows is one', (rows) => {
    for (const column of [0, 1, 77]) {
      const image = Array.from({ length: rows }, (_, r) => permutedRow(r, column, rows, sparseHalfBits(rows), 5, 9))
      expect([...image].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, r) => r))
    }
  })

  test('every row is zeroed equally often: chi-squared over 4000 columns of 20 rows', () => {
    const counts = new Array<number>(20).fill(0)
    for (let column = 0; column < 4000; column++) {
      for (let row = 0; row < 20; row++) if (permutedRow(row, column, 20, sparseHalfBits(20), 1, 2) < 5) counts[row]!++
    }
    const chi = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / (1000 * 0.75), 0)
    // 19 degrees of freedom: P(chi^2 > 65) = 7e-7.
    expect(chi).toBeLessThan(65)
  })
})

describe('fans', () => {
  const fansOf = (model: Model, fans?: 'torch') =>
    planModel(model, 'zeros', {}, { seed: 1, ...(fans ? { fans } : {}) }).parameters[0]!
  type Fans = readonly [fanIn: number, fanOut: number]
  const cases: [name: string, model: Model, fans: Fans, torch?: Fans][] = [
    ['linear', linear(5, 7), [5, 7]],
    ['fused linear', linear(5, 21, { blocks: 3 }), [5, 7], [5, 21]],
    ['conv', conv2d(4, 6, 3), [36, 54]],
    ['grouped conv', conv2d(4, 6, 3, { groups: 2 }), [18, 27], [18, 54]],
    ['depthwise conv', conv2d(4, 4, 3, { groups: 4 }), [9, 9], [9, 36]],
    ['transposed conv', convTranspose2d(4, 6, 3), [36, 54], [54, 36]],
    ['grouped transposed conv', convTranspose2d(4, 6, 3, { groups: 2 }), [18, 27], [27, 36]],
    ['lstm', lstm(5, 7), [5, 7], [5, 28]],
    ['gru', gru(5, 7), [5, 7], [5, 21]],
    ['experts', matrix([8, 7, 5], { batchAxes: 1 }), [5, 7], [35, 40]],
    ['in-out', matrix([3, 3, 4, 6], { layout: 'in-out' }), [36, 54], [72, 72]],
    ['by hand', matrix([2, 3], { fan: { in: 10, out: 20 } }), [10, 20], [3, 2]],
  ]
  test.each(cases)('%s', (_, model, [fanIn, fanOut], torch) => {
    const parameter = fansOf(model)
    expect(parameter.fans).toEqual({ fanIn, fanOut })
    expect(parameter.torchFans).toEqual(torch === undefined ? undefined : { fanIn: torch[0], fanOut: torch[1] })
    if (torch !== undefined) expect(fansOf(model, 'torch').fans).toEqual({ fanIn: torch[0], fanOut: torch[1] })
  })
})

describe('torch_default', () => {
  test('a network as PyTorch builds it', () => {
    const model = sequential({
      emb: embedding(11, 8, { paddingIndex: -1 }),
      norm: layerNorm(8),
      fc: linear(8, 4),
      conv: conv2d(3, 5, 3),
      rec: lstm(8, 6, { layers: 2 }),
    })
    const distributions = new Map(planned(model, 'torch_default').map(({ name, distribution }) => [name, distribution]))
    const bound = (name: string): number => (distributions.get(name) as { high: number }).high
    expect(distributions.get('emb.weight')).toEqual({ kind: 'normal', mean: 0, std: 1 })
    expect(distributions.get('norm.weight')).toEqual({ kind: 'constant', value: 1 })
    expect(bound('fc.weight')).toBeCloseTo(1 / Math.sqrt(8), 15)
    expect(bound('fc.bias')).toBe(1 / Math.sqrt(8))
    expect(bound('conv.weight')).toBeCloseTo(1 / Math.sqrt(27), 15)
    expect(bound('conv.bias')).toBe(1 / Math.sqrt(27))
    for (const name of ['weight_ih_l0', 'weight_hh_l1', 'bias_ih_l0', 'bias_hh_l1'])
      expect(bound(`rec.${name}`)).toBe(1 / Math.sqrt(6))
  })

  test('a bias without its weight is an error that names both', () => {
    expect(() => planned({ parameters: [{ name: 'x.bias', shape: [3] }] }, 'torch_default')).toThrow(
      /"x.bias".*"x.weight"/,
    )
  })

  test.each(floatDTypes)('the padding row is zero, the rest as without it, %s', async (dtype) => {
    const padded = await initializeModel(embedding(9, 5, { paddingIndex: 3 }), normal, { ...cpu, dtype })
    const plain = await initializeModel(embedding(9, 5), normal, { ...cpu, dtype })
    const expected = await plain.read('weight')
    expected.fill(0, 15, 20)
    expect(await padded.read('weight')).toEqual(expected)
  })

  test.each([[9], [-10], [1.5], ['1']])('paddingIndex %j is refused', (paddingIndex) => {
    expect(() => planned(embedding(9, 5, { paddingIndex: paddingIndex as number }), normal)).toThrow(
      /Padding_idx must be within num_embeddings/,
    )
  })
})

describe('activationGain', () => {
  test.each([
    ['relu', Math.SQRT2],
    ['linear', 1],
    ['leaky_relu', Math.sqrt(2 / (1 + 0.01 ** 2))],
    // E[z^2 Phi(z)^2] = 1/3 + 1 / (2 pi sqrt(3)); tanh's second moment 0.394294 (Poole et al. 2016).
    ['gelu', 1 / Math.sqrt(1 / 3 + 1 / (2 * Math.PI * Math.sqrt(3)))],
    ['tanh', 1 / Math.sqrt(0.394294)],
    ['selu', 1],
    ['relu_squared', Math.sqrt(2 / 3)],
    // By 400 Gauss-Legendre nodes on each of [-3, 0], [0, 3] and [3, 14], in NumPy.
    ['hardswish', 1.7366572127665],
  ])('%s', (name, gain) => {
    expect(activationGain(name)).toBeCloseTo(gain, 4)
  })

  test('every name is finite and positive; a function works like the name', () => {
    for (const name of activationNames) expect(activationGain(name)).toBeGreaterThan(0.5)
    expect(activationGain((x) => Math.max(0, x))).toBe(activationGain('relu'))
    expect(activationGain((x) => x / (1 + Math.exp(-x)))).toBeCloseTo(activationGain('silu'), 10)
    expect(activationGain((x) => x * Math.tanh(Math.log1p(Math.exp(x))))).toBeCloseTo(activationGain('mish'), 9)
  })

  test.each([['nope'], [() => 0], [() => Number.NaN]])('refuses %s', (activation) => {
    expect(() => activationGain(activation as string)).toThrow(/activation/i)
  })
})

describe('custom initializers', () => {
  test('a function of the parameter', () => {
    const mine = defineInitializer({
      name: 'mine',
      distribution: ({ fans, parameter }) => ({ kind: 'normal', mean: parameter.shape.length, std: 1 / fans().fanIn }),
    })
    expect(planned(matrix([3, 4]), mine)[0]!.distribution).toEqual({ kind: 'normal', mean: 2, std: 0.25 })
    expect(planned(matrix([3, 4]), mine)[0]!.rule.initializer).toBe('mine')
  })

  test('what is no distribution is refused, with the parameter', () => {
    const wrong = defineInitializer({
      name: 'wrong',
      distribution: () => ({ kind: 'cauchy' }) as unknown as Distribution,
    })
    expect(() => planned(matrix([3, 4]), wrong)).toThrow(/"wrong" returned .*cauchy.*"w"/)
  })

  const laplace = defineSampler({
    name: 'laplace',
    wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return params.scale; }',
    parameters: { scale: 'f32' },
    sample: (word, { scale }) => {
      const v = Math.fround((word >>> 9) * 2 ** -23 + 2 ** -24)
      const magnitude = Math.fround(Math.fround(minusTwoLog(v) * 0.5) * scale)
      return word & 1 ? -magnitude : magnitude
    },
    moments: ({ scale }) => ({ mean: 0, std: Math.SQRT2 * scale }),
  })

  test('a sampler on the CPU: its parameters, its promise, its values', async () => {
    const [parameter] = planned(matrix([400, 500]), laplace({ scale: 0.1 }))
    expect(parameter!.expected.std).toBeCloseTo(0.1 * Math.SQRT2)
    const got = decodeFloat32(fillBytes(fillJob(parameter!), 0, 200_000), 'float32')
    const std = Math.sqrt(got.reduce((sum, x) => sum + x * x, 0) / got.length)
    // Kurtosis 6: the variance of the mean square is 5 sigma^4 / n; six standard errors.
    expect(Math.abs((std / (0.1 * Math.SQRT2)) ** 2 - 1)).toBeLessThan(6 * Math.sqrt(5 / 200_000))
    expect(
      planned(
        matrix([4, 25]),
        laplace(({ fans }) => ({ scale: 1 / fans().fanIn })),
      )[0]!.expected.std,
    ).toBeCloseTo(Math.SQRT2 / 25)
  })

  test.each([
    ['a missing parameter', {}, /parameter scale of sampler "laplace" must be a finite number/],
    ['an unknown parameter', { scale: 1, rate: 2 }, /no parameter "rate"/],
    ['NaN', { scale: Number.NaN }, /must be a finite number/],
  ])('refuses %s', (_, parameters, message) => {
    expect(() => planned(matrix([3, 4]), laplace(parameters as never))).toThrow(message)
  })

  const base = {
    name: 'x',
    wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return 0.0; }',
    sample: () => 0,
    moments: () => ({ mean: 0, std: 1 }),
  }
  test.each([
    ['a name that is no identifier', { ...base, name: 'a b' }, /WGSL identifier/],
    ['WGSL without sample', { ...base, wgsl: 'fn f() {}' }, /must define `fn sample/],
    ['no CPU reference', { ...base, sample: undefined }, /sample must be a function/],
    ['no moments', { ...base, moments: 1 }, /moments must be a function/],
    ['a parameter type', { ...base, parameters: { s: 'f64' } }, /must be 'f32', 'u32' or 'i32'/],
    [
      'too many parameters',
      { ...base, parameters: Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`p${i}`, 'f32'])) },
      /at most 12/,
    ],
    ['an unknown key', { ...base, shader: '' }, /Unknown defineSampler key "shader"/],
  ])('a definition with %s is refused', (_, definition, message) => {
    expect(() => defineSampler(definition as never)).toThrow(message)
  })
})

test('STFT is refused with its reason; an unknown name lists the known ones', () => {
  expect(() => createInitializer('STFT')).toThrow(/fixed transform/)
  expect(() => createInitializer('nope')).toThrow(/known: xavier/)
})
