// One row per name that `initializeModel` takes: whose name it is, on which parameters it is tested, the distribution that its source
// documents, worked out here from the formula in the paper or manual, and what it must refuse. Drives the tests of distributions
// (test/unit/initializers/family-distributions.slow.test.ts), of parity (test/gpu/families.test.ts) and of mistakes.
import type { FloatDType } from '../../src/core/dtype.js'
import type { WeightInitErrorCode } from '../../src/core/errors.js'
import { conv2d, convTranspose2d, embedding, gru, linear, lstm, rnn, sequential } from '../../src/index.js'
import type { Model, ParameterSpec } from '../../src/ir/parameter.js'
import {
  correctedDistribution,
  normalDistribution,
  type ReferenceDistribution,
  sphereCoordinateDistribution,
  symmetric,
  truncatedDistribution,
  uniformDistribution,
} from './references/distributions.js'
import { narrowFormatOf } from './references/half.js'

export type Values = ReadonlyMap<string, Float32Array>

/** Independent draws, and their distribution. */
export interface Sample {
  readonly what: string
  readonly values: Float32Array
  readonly distribution: ReferenceDistribution
}

export interface FamilyCase {
  readonly what: string
  readonly model: Model
  readonly config: Readonly<Record<string, unknown>>
  readonly samples: (values: Values) => readonly Sample[]
  /** What is wrong with values that are not a matter of chance, or undefined. */
  readonly flaw: (values: Values, dtype: FloatDType) => string | undefined
}

export interface Family {
  readonly name: string
  /** False where the device's arithmetic enters the value: orthogonal matrices alone. */
  readonly bitExact: boolean
  readonly cases: readonly FamilyCase[]
  readonly refused: readonly Refused[]
}

export type Refused = readonly [
  what: string,
  facts: Partial<ParameterSpec>,
  config: Readonly<Record<string, unknown>>,
  code: WeightInitErrorCode,
  message: RegExp,
]

type Config = Readonly<Record<string, unknown>>
type Facts = Omit<ParameterSpec, 'name'>

/** fan_in 250, fan_out 160, 40,000 elements. */
const dense: Facts = { shape: [160, 250] }
/** PyTorch's layout: fan_in 9 * 32 = 288, fan_out 9 * 64 = 576. */
const kernel: Facts = { shape: [64, 32, 3, 3] }
/** JAX's and Keras's layout, the same fans. */
const kernelInOut: Facts = { shape: [3, 3, 32, 64], layout: 'in-out' }

const one = (facts: Facts): Model => ({ parameters: [{ name: 'w', role: 'weight', ...facts }] })
const noFlaw = (): undefined => undefined
const noSamples = (): readonly Sample[] => []

/** Elements that are independent and of one distribution. */
function independent(
  model: Model,
  distributions: Readonly<Record<string, ReferenceDistribution>>,
  config: Config = {},
): FamilyCase {
  const samples = (values: Values): Sample[] =>
    Object.entries(distributions).map(([name, distribution]) => ({
      what: name,
      values: values.get(name)!,
      distribution,
    }))
  return { what: `${JSON.stringify(config)} ${Object.keys(distributions)}`, model, config, samples, flaw: noFlaw }
}
const iid = (facts: Facts, distribution: ReferenceDistribution, config: Config = {}): FamilyCase => ({
  ...independent(one(facts), { w: distribution }, config),
  what: `${JSON.stringify(config)} on ${JSON.stringify(facts.shape)}`,
})

/** Elements that are known one by one. */
function exactly(facts: Facts, value: (index: number[]) => number, config: Config = {}): FamilyCase {
  const flaw = (values: Values): string | undefined => {
    for (const [at, found] of values.get('w')!.entries()) {
      let rest = at
      const index = facts.shape.toReversed().map((length) => {
        const i = rest % length
        rest = (rest - i) / length
        return i
      })
      const expected = value(index.toReversed())
      if (found !== expected) return `element ${index.toReversed()} is ${found}, not ${expected}`
    }
    return undefined
  }
  const what = `${JSON.stringify(config)} on ${JSON.stringify(facts.shape)}`
  return { what, model: one(facts), config, samples: noSamples, flaw }
}

/** Zeros in every column, the other elements independent normals. */
function sparse(rows: number, columns: number, zeros: number, std: number, config: Config): FamilyCase {
  /** Without as many zeros as every column must have: the others are draws that a narrow dtype rounds to 0. */
  const drawn = (w: Float32Array): Float32Array => {
    let left = zeros * columns
    return w.filter((x) => x !== 0 || left-- <= 0)
  }
  const samples = (values: Values): Sample[] =>
    zeros >= rows
      ? []
      : [
          {
            what: 'non-zeros',
            values: drawn(values.get('w')!),
            distribution: normalDistribution(0, std),
          },
        ]
  const flaw = (values: Values, dtype: FloatDType): string | undefined => {
    const w = values.get('w')!
    for (let c = 0; c < columns; c++) {
      let found = 0
      for (let r = 0; r < rows; r++) if (w[r * columns + c] === 0) found++
      if (narrowFormatOf(dtype)?.bits === 8 ? found < zeros : found !== zeros)
        return `column ${c} has ${found} zeros, not ${zeros}`
    }
    return undefined
  }
  const what = `${JSON.stringify(config)} on ${rows} x ${columns}`
  return { what, model: one({ shape: [rows, columns] }), config, samples, flaw }
}

/**
 * Many orthogonal matrices. Elements of one matrix depend on each other, elements of two do not: a sample takes one place
 * of every matrix. Any place is a coordinate of a random unit vector of as many dimensions as the longer side has.
 */
export function haar(count: number, rows: number, columns: number, gain: number): FamilyCase {
  const distribution = sphereCoordinateDistribution(Math.max(rows, columns), gain)
  const places = { first: 0, 'end of the first row': columns - 1, last: rows * columns - 1 }
  const samples = (values: Values): Sample[] =>
    Object.entries(places).map(([what, place]) => ({
      what,
      values: Float32Array.from({ length: count }, (_, i) => values.get('w')![i * rows * columns + place]!),
      distribution,
    }))
  const model = one({ shape: [count, rows, columns], batchAxes: 1 })
  return { what: `${count} of ${rows} x ${columns}, gain ${gain}`, model, config: { gain }, samples, flaw: noFlaw }
}

/** As many parameters, one matrix each, at the centre of a 3 x 3 kernel; zeros around it. */
function deltaHaar(count: number, outputs: number, inputs: number): FamilyCase {
  const parameters = Array.from({ length: count }, (_, i) => ({
    name: `w${i}`,
    shape: [outputs, inputs, 3, 3],
    role: 'weight' as const,
  }))
  const samples = (values: Values): Sample[] =>
    [0, outputs * inputs - 1].map((place) => ({
      what: `element ${place}`,
      values: Float32Array.from(parameters, ({ name }) => values.get(name)![9 * place + 4]!),
      distribution: sphereCoordinateDistribution(outputs),
    }))
  const flaw = (values: Values): string | undefined =>
    [...values].find(([, w]) => w.some((x, i) => x !== 0 && i % 9 !== 4))?.[0]
  return { what: `${count} of ${outputs} x ${inputs}`, model: { parameters }, config: {}, samples, flaw }
}

/** A fixed table: within what PyTorch's float32 angles are off, times the positions; sin 0 and cos 0 are exact. */
function sinusoids(
  rows: number,
  columns: number,
  config: Config,
  value: (row: number, column: number) => number,
): FamilyCase {
  const flaw = (values: Values, dtype: FloatDType): string | undefined => {
    // Half a step of the dtype below 1, and 2^-22 of the angle.
    const rounding = 2 ** -((narrowFormatOf(dtype)?.fractionBits ?? 23) + 2)
    for (const [at, found] of values.get('w')!.entries()) {
      const [row, column] = [Math.floor(at / columns), at % columns]
      const expected = value(row, column)
      if (Math.abs(found - expected) > (row === 0 ? 0 : rounding + (row + 1) * 2 ** -22)) {
        return `element ${[row, column]} is ${found}, not ${expected}`
      }
    }
    return undefined
  }
  const what = `${JSON.stringify(config)} on ${rows} x ${columns}`
  return { what, model: one({ shape: [rows, columns], role: 'embedding' }), config, samples: noSamples, flaw }
}

const row = (name: string, cases: readonly FamilyCase[], refused: readonly Refused[] = []): Family => ({
  name,
  bitExact: !name.endsWith('orthogonal'),
  cases,
  refused,
})

const config = 'INVALID_CONFIG'
const shape = 'INVALID_SHAPE'
const noFans = /fewer than 2 dimensions/
const vector: Partial<ParameterSpec> = { shape: [7] }
const fanRank: Refused = ['rank 1', vector, {}, shape, noFans]
/** A setting that the name itself has. */
const named = (key: string, value: unknown): Refused => [
  `${key} given again`,
  {},
  { [key]: value },
  config,
  new RegExp(`${key} is part of the name`),
]

const scaled = (
  name: string,
  variance: readonly [number, number],
  distribution: (variance: number) => ReferenceDistribution,
): Family =>
  row(
    name,
    [iid(dense, distribution(variance[0])), iid(kernelInOut, distribution(variance[1]))],
    [fanRank, named('scale', 3)],
  )
const box = (variance: number): ReferenceDistribution => symmetric(Math.sqrt(3 * variance))
const lecun = [1 / 250, 1 / 288] as const
const glorot = [2 / 410, 2 / 864] as const
const he = [2 / 250, 2 / 288] as const

const modes = { fan_in: 288, fan_out: 576, fan_avg: 432, fan_geo_avg: Math.sqrt(288 * 576) }
const scalings: Readonly<Record<string, (variance: number) => ReferenceDistribution>> = {
  uniform: box,
  normal: (variance) => normalDistribution(0, Math.sqrt(variance)),
  untruncated_normal: (variance) => normalDistribution(0, Math.sqrt(variance)),
  truncated_normal: correctedDistribution,
}

const diracOf =
  (outputs: number, inputs: number, groups: number, kernelShape: readonly number[]) =>
  ([o = 0, i = 0, ...place]: number[]): number => {
    const perGroup = outputs / groups
    const centre = place.every((at, axis) => at === Math.floor(kernelShape[axis]! / 2))
    return centre && o % perGroup === i && i < Math.min(perGroup, inputs) ? 1 : 0
  }

export const families: readonly Family[] = [
  row(
    'xavier',
    [
      iid(dense, symmetric(Math.sqrt(6 / 410))),
      iid(kernel, normalDistribution(0, 1.7 * Math.sqrt(2 / 864)), { gain: 1.7, distribution: 'normal' }),
    ],
    [
      fanRank,
      ['a gain that is no number', {}, { gain: '2' }, config, /gain/],
      ['an unknown distribution', {}, { distribution: 'cauchy' }, config, /distribution.*cauchy/],
    ],
  ),
  row('xavier_uniform', [iid(kernel, symmetric(Math.sqrt(6 / 864)))], [fanRank, named('distribution', 'normal')]),
  row(
    'xavier_normal',
    [iid(dense, normalDistribution(0, Math.sqrt(2 / 410)))],
    [fanRank, named('distribution', 'normal')],
  ),
  row(
    'kaiming',
    [
      iid(dense, normalDistribution(0, Math.sqrt(2 / 250))),
      iid(kernel, symmetric(Math.sqrt(6 / (1 + 0.2 ** 2) / 576)), {
        mode: 'fan_out',
        nonlinearity: 'leaky_relu',
        a: 0.2,
        distribution: 'uniform',
      }),
      iid(dense, normalDistribution(0, 5 / 3 / Math.sqrt(250)), { nonlinearity: 'tanh' }),
      iid(dense, normalDistribution(0, 1.1 / Math.sqrt(250)), { gain: 1.1 }),
    ],
    [
      fanRank,
      ['an unknown mode', {}, { mode: 'fan_avg' }, config, /Mode fan_avg not supported/],
      ['an unknown nonlinearity', {}, { nonlinearity: 'swosh' }, config, /swosh/],
    ],
  ),
  row('kaiming_uniform', [iid(dense, symmetric(Math.sqrt(6 / 250)))], [fanRank, named('distribution', 'normal')]),
  row(
    'kaiming_normal',
    [iid(kernel, normalDistribution(0, Math.sqrt(2 / 288)))],
    [fanRank, named('distribution', 'normal')],
  ),
  row(
    'uniform',
    [iid(dense, uniformDistribution(0, 1)), iid(dense, uniformDistribution(-3, 4.5), { a: -3, b: 4.5 })],
    [['an empty interval', {}, { a: 1, b: 0 }, config, /Swap/]],
  ),
  row(
    'normal',
    [iid(dense, normalDistribution(0, 1)), iid(dense, normalDistribution(-1.5, 0.02), { mean: -1.5, std: 0.02 })],
    [['a negative std', {}, { std: -1 }, config, /std.*>= 0.*-1/]],
  ),
  row(
    'trunc_normal',
    [
      iid(dense, truncatedDistribution(0, 1, -2, 2)),
      iid(dense, truncatedDistribution(0.5, 0.3, 0.4, 100), { mean: 0.5, std: 0.3, a: 0.4, b: 100 }),
      iid(dense, truncatedDistribution(0, 1, 6, 7), { a: 6, b: 7 }),
      iid(dense, truncatedDistribution(3, 2, -12, -10), { mean: 3, std: 2, a: -12, b: -10 }),
      iid(dense, normalDistribution(0, 0.02), { std: 0.02 }),
    ],
    [
      ['std 0', {}, { std: 0 }, config, /std must be > 0/],
      ['a negative std', {}, { std: -1 }, config, /std must be > 0/],
      ['an empty interval', {}, { a: 1, b: 1 }, config, /interval \[1, 1\] is empty/],
      ['a crossed interval', {}, { a: 2, b: -2 }, config, /is empty/],
      ['an interval beyond the distribution’s reach', {}, { a: 9, b: 10 }, config, /9\.00 std from the mean/],
      ['an interval without a float32', {}, { a: 1.00000001, b: 1.00000002 }, config, /too narrow/],
      ['NaN', {}, { a: Number.NaN }, config, /a must be a finite number/],
      ['the bounds in sigma', {}, { lower: 1 }, config, /Unknown trunc_normal config key "lower"/],
    ],
  ),
  row(
    'truncated_normal',
    [
      iid(dense, truncatedDistribution(0, 0.01, -0.02, 0.02)),
      iid(dense, truncatedDistribution(1, 0.5, 0.5, 2.5), { mean: 1, std: 0.5, lower: -1, upper: 3 }),
    ],
    [
      ['std 0', {}, { std: 0 }, config, /std must be > 0/],
      ['an empty interval', {}, { lower: 2, upper: 2 }, config, /interval \[2, 2\] is empty/],
      ['a crossed interval', {}, { lower: 2, upper: -2 }, config, /is empty/],
      ['absolute bounds', {}, { a: 1 }, config, /Unknown truncated_normal config key "a"/],
    ],
  ),
  row(
    'variance_scaling',
    Object.entries(modes).flatMap(([mode, fan]) =>
      Object.entries(scalings).map(([distribution, reference]) =>
        iid(mode === 'fan_out' ? kernel : kernelInOut, reference(1.3 / fan), { scale: 1.3, mode, distribution }),
      ),
    ),
    [
      fanRank,
      ['scale 0', {}, { scale: 0 }, config, /`scale` must be positive float/],
      ['a negative scale', {}, { scale: -1 }, config, /`scale` must be positive float/],
      ['an unknown mode', {}, { mode: 'fan_both' }, config, /mode.*fan_both.*fan_geo_avg/],
      ['an unknown distribution', {}, { distribution: 'laplace' }, config, /distribution.*laplace.*truncated_normal/],
    ],
  ),
  scaled('lecun_normal', lecun, correctedDistribution),
  scaled('lecun_uniform', lecun, box),
  scaled('glorot_normal', glorot, correctedDistribution),
  scaled('glorot_uniform', glorot, box),
  scaled('he_normal', he, correctedDistribution),
  scaled('he_uniform', he, box),
  row('random_normal', [iid(dense, normalDistribution(0, 0.05))], [['a negative std', {}, { std: -1 }, config, /std/]]),
  row('random_uniform', [iid(dense, symmetric(0.05))], [['an empty interval', {}, { a: 1 }, config, /Swap/]]),
  row(
    'siren',
    [
      iid(dense, symmetric(Math.sqrt(6 / 250) / 30)),
      iid(dense, symmetric(Math.sqrt(6 / 250) / 7), { omega: 7 }),
      iid(dense, symmetric(1 / 250), { first: true }),
    ],
    [
      fanRank,
      ['omega 0', {}, { omega: 0 }, config, /omega must be > 0/],
      ['a first that is no boolean', {}, { first: 1 }, config, /first must be true or false/],
    ],
  ),
  row(
    'sinusoidal',
    [
      sinusoids(1500, 40, {}, (p, j) => (j < 20 ? Math.sin : Math.cos)(p * 10000 ** (-(j % 20) / 19))),
      sinusoids(77, 6, { arrangement: 'interleaved', maxTimescale: 100 }, (p, j) =>
        (j % 2 === 0 ? Math.sin : Math.cos)(p * 100 ** (-(j - (j % 2)) / 6)),
      ),
    ],
    [
      ['rank 1', vector, {}, shape, /a table \[positions, width\]/],
      ['rank 3', { shape: [2, 2, 2] }, {}, shape, /a table \[positions, width\]/],
      ['an odd width', { shape: [6, 5] }, {}, shape, /even width/],
      ['a width of 2', { shape: [6, 2] }, {}, shape, /at least 4/],
      ['more positions than are exact', { shape: [2 ** 20 + 1, 4] }, {}, config, /at most 1048576 positions/],
      ['a timescale of 1', {}, { maxTimescale: 1 }, config, /maxTimescale must be above 1/],
      ['a timescale that is NaN', {}, { maxTimescale: Number.NaN }, config, /maxTimescale/],
      ['an unknown arrangement', {}, { arrangement: 'mixed' }, config, /arrangement.*mixed/],
      ['an integer dtype', { dtype: 'int32' }, {}, 'UNSUPPORTED_DTYPE', /int32/],
    ],
  ),
  row(
    'sparse',
    [
      sparse(203, 111, 61, 0.01, { sparsity: 0.3 }),
      sparse(31, 900, 28, 0.5, { sparsity: 0.9, std: 0.5 }),
      sparse(100, 100, 0, 0.01, { sparsity: 0 }),
      sparse(20, 30, 20, 0.01, { sparsity: 1 }),
    ],
    [
      ['rank 1', vector, { sparsity: 0.5 }, shape, /Only tensors with 2 dimensions are supported/],
      ['rank 3', { shape: [2, 2, 2] }, { sparsity: 0.5 }, shape, /Only tensors with 2 dimensions are supported/],
      ['no sparsity', {}, {}, config, /sparsity/],
      ['a negative sparsity', {}, { sparsity: -0.1 }, config, /sparsity.*-0\.1/],
      ['a sparsity over 1', {}, { sparsity: 1.1 }, config, /sparsity.*1\.1/],
      ['a sparsity that is NaN', {}, { sparsity: Number.NaN }, config, /sparsity.*NaN/],
      ['a negative std', {}, { sparsity: 0.5, std: -1 }, config, /std/],
    ],
  ),
  row(
    'orthogonal',
    [haar(4000, 5, 4, 1), haar(4000, 3, 6, -1.5), haar(4000, 2, 2, 1)],
    [
      ['rank 1', vector, {}, shape, /Only tensors with 2 or more dimensions are supported/],
      ['a padding row', { shape: [9, 4], paddingIndex: 2 }, {}, config, /break its orthogonality/],
      ['blocks on the last axis', { shape: [4, 6], layout: 'in-out', blocks: 2 }, {}, shape, /layout out-in only/],
      ['a gain that is no number', {}, { gain: 'relu' }, config, /gain/],
    ],
  ),
  row(
    'delta_orthogonal',
    [deltaHaar(1000, 5, 4)],
    [
      ['rank 2', { shape: [5, 5] }, {}, shape, /requires a 3D, 4D or 5D shape/],
      ['rank 6', { shape: [5, 5, 1, 1, 1, 1] }, {}, shape, /requires a 3D, 4D or 5D shape/],
      ['more inputs than outputs', { shape: [3, 5, 3] }, {}, shape, /fan_in <= fan_out/],
      ['more inputs, in-out', { shape: [3, 5, 3], layout: 'in-out' }, {}, shape, /fan_in <= fan_out/],
      ['groups', { shape: [4, 2, 3], groups: 2 }, {}, shape, /without groups/],
    ],
  ),
  row(
    'torch_default',
    [
      independent(linear(12, 3000), { weight: symmetric(1 / Math.sqrt(12)), bias: symmetric(1 / Math.sqrt(12)) }),
      independent(conv2d(3, 1500, 3), { weight: symmetric(1 / Math.sqrt(27)), bias: symmetric(1 / Math.sqrt(27)) }),
      // PyTorch takes a transposed kernel's second axis for its inputs: fan_in = 40 * 9, not 1000 * 9.
      independent(convTranspose2d(100, 40, 3), { weight: symmetric(1 / Math.sqrt(360)) }),
      independent(embedding(200, 150), { weight: normalDistribution(0, 1) }),
      independent(lstm(30, 75), {
        weight_ih_l0: symmetric(1 / Math.sqrt(75)),
        weight_hh_l0: symmetric(1 / Math.sqrt(75)),
        bias_ih_l0: symmetric(1 / Math.sqrt(75)),
        bias_hh_l0: symmetric(1 / Math.sqrt(75)),
      }),
      independent(gru(40, 120), {
        weight_ih_l0: symmetric(1 / Math.sqrt(120)),
        bias_hh_l0: symmetric(1 / Math.sqrt(120)),
      }),
      independent(sequential({ rec: rnn(50, 90) }), { 'rec.weight_hh_l0': symmetric(1 / Math.sqrt(90)) }),
    ],
    [['any setting', {}, { gain: 1 }, config, /Unknown torch_default config key "gain"/]],
  ),
  row(
    'constant',
    [exactly({ shape: [7, 9] }, () => 0.75, { value: 0.75 })],
    [['NaN', {}, { value: Number.NaN }, config, /value.*NaN/]],
  ),
  row('zeros', [exactly({ shape: [7, 9] }, () => 0)], [named('value', 1)]),
  row('ones', [exactly({ shape: [7, 9] }, () => 1)], [named('value', 1)]),
  row(
    'eye',
    [
      exactly({ shape: [7, 13] }, ([r, c]) => (r === c ? 1 : 0)),
      exactly({ shape: [13, 7] }, ([r, c]) => (r === c ? 2.5 : 0), { gain: 2.5 }),
      exactly({ shape: [1, 5] }, ([, c]) => (c === 0 ? 1 : 0)),
      exactly({ shape: [5, 1] }, ([r]) => (r === 0 ? 1 : 0)),
    ],
    [
      ['rank 1', vector, {}, shape, /Only tensors with 2 dimensions are supported/],
      ['rank 3', { shape: [2, 2, 2] }, {}, shape, /Only tensors with 2 dimensions are supported/],
    ],
  ),
  row('identity', [exactly({ shape: [33, 33] }, ([r, c]) => (r === c ? 1 : 0))]),
  row(
    'dirac',
    [
      exactly({ shape: [9, 2, 3] }, diracOf(9, 2, 3, [3]), { groups: 3 }),
      exactly({ shape: [3, 5, 1, 3] }, diracOf(3, 5, 1, [1, 3])),
      exactly({ shape: [6, 2, 2, 2, 3] }, diracOf(6, 2, 3, [2, 2, 3]), { groups: 3 }),
      exactly({ shape: [4, 3, 3] }, diracOf(4, 3, 1, [3])),
    ],
    [
      ['rank 2', { shape: [2, 2] }, {}, shape, /Only tensors with 3, 4, or 5 dimensions are supported/],
      ['rank 6', { shape: [2, 2, 1, 1, 1, 1] }, {}, shape, /Only tensors with 3, 4, or 5 dimensions are supported/],
      ['groups that do not divide', { shape: [5, 2, 3] }, { groups: 2 }, shape, /dim 0 must be divisible by groups/],
      ['groups 0', {}, { groups: 0 }, config, /groups must be a positive integer/],
      ['another layout', { shape: [3, 2, 2], layout: 'in-out' }, {}, shape, /needs the layout out-in/],
    ],
  ),
]
