// Weights with one fault each, and which test has to find it.
import type { CheckedTensor, Distribution, TestName } from '../../src/index.js'
import { boxMuller } from '../../src/index.js'
import { seededWords } from './seeded.js'

const normal: Distribution = { kind: 'normal', mean: 0, std: 0.05 }

/** N(0, std^2) from words that are not the package's own. */
export function normals(count: number, std: number, seed: number): Float32Array {
  const next = seededWords(seed)
  const pair = new Float32Array(2)
  const out = new Float32Array(count)
  for (let i = 0; i < count; i += 2) {
    boxMuller(pair, next(), next())
    out[i] = pair[0]! * std
    if (i + 1 < count) out[i + 1] = pair[1]! * std
  }
  return out
}

/**
 * Uniforms from a hash's low byte that is carried over to the next element: each is right by itself (24 bits, flat), but
 * neighbours are correlated by 0.14.
 */
export function lowByteUniforms(count: number, seed: number): Float32Array {
  const next = seededWords(seed)
  const out = new Float32Array(count)
  let before = next() / 2 ** 32
  for (let i = 0; i < count; i++) {
    const word = next()
    // With probability 0.14 the element before again, but for its last bits.
    const repeated = (word & 0xff) < 36
    const fresh = (word >>> 8) / 2 ** 24
    const u = repeated ? (Math.floor(before * 2 ** 12) + (word >>> 8) / 2 ** 24) / 2 ** 12 : fresh
    out[i] = (2 * u - 1) * 0.1
    before = u
  }
  return out
}

export interface BrokenWeights {
  readonly name: string
  readonly tensors: readonly (Omit<CheckedTensor, 'buffer'> & { readonly values: Float32Array })[]
  /** Test, and the tensors that it must name. */
  readonly found: TestName
  readonly names: readonly string[]
}

const rows = 256
const columns = 512
const n = rows * columns
const shape = [rows, columns]

function broken(
  name: string,
  found: TestName,
  change: (values: Float32Array) => Float32Array | undefined,
): BrokenWeights {
  const values = normals(n, 0.05, 77)
  const changed = change(values) ?? values
  return {
    name,
    found,
    names: ['w'],
    tensors: [
      { name: 'sound', shape, distribution: normal, values: normals(n, 0.05, 5) },
      { name: 'w', shape, distribution: normal, values: changed },
    ],
  }
}

/** A function: the arrays are made where they are used. */
export const brokenWeights = (): BrokenWeights[] => [
  {
    name: 'a low-byte hash generator with lag correlation 0.14',
    found: 'lag correlation',
    names: ['w'],
    tensors: [
      { name: 'w', shape, distribution: { kind: 'uniform', low: -0.1, high: 0.1 }, values: lowByteUniforms(n, 3) },
    ],
  },
  broken('a std 12 % low', 'variance', (values) => values.map((x) => x * 0.88)),
  broken('one block repeated', 'copies', (values) => void values.copyWithin(70_001, 10_000, 12_048)),
  broken('one zeroed window', 'zeros', (values) => void values.fill(0, 50_000, 50_256)),
  broken('one constant window', 'equal neighbours', (values) => void values.fill(0.01, 50_000, 50_256)),
  broken('one window of another scale', 'windows', (values) => {
    for (let i = 32_768; i < 49_152; i++) values[i]! *= 0.9
    return values
  }),
  broken('a NaN', 'non-finite', (values) => void values.fill(Number.NaN, 4711, 4712)),
  broken('an infinity', 'non-finite', (values) => void values.fill(Number.NEGATIVE_INFINITY, 0, 1)),
  broken('an outlier', 'extremes', (values) => void values.fill(0.5, 99_999, 100_000)),
  broken('fan_in and fan_out swapped', 'variance', (values) => values.map((x) => x * Math.sqrt(rows / columns))),
  broken('tails cut at 3 std', 'extremes', (values) => values.map((x) => (Math.abs(x) > 0.15 ? x / 3 : x))),
  broken('a shifted mean', 'mean', (values) => values.map((x) => x + 0.002)),
  broken('a uniform distribution of the same variance', 'chi-squared', () => {
    const next = seededWords(8)
    return Float32Array.from({ length: n }, () => (next() / 2 ** 31 - 1) * 0.05 * Math.sqrt(3))
  }),
  broken('every row begun by the one above', 'row correlation', (values) => {
    const before = values.slice()
    for (let i = columns; i < n; i++) values[i] = Math.sqrt(0.96) * before[i]! + 0.2 * before[i - columns]!
    return values
  }),
  {
    name: 'two layers with the same weights',
    found: 'copies',
    names: ['a', 'b'],
    tensors: ['a', 'c', 'b'].map((name) => ({
      name,
      shape,
      distribution: normal,
      values: normals(n, 0.05, name === 'c' ? 2 : 1),
    })),
  },
  {
    name: 'layers of different shapes and scales from the same draws',
    found: 'same start',
    names: ['a', 'b'],
    tensors: [
      { name: 'a', shape, distribution: normal, values: normals(n, 0.05, 1) },
      {
        name: 'b',
        shape: [100, 100],
        distribution: { kind: 'normal', mean: 0, std: 0.3 },
        values: normals(n, 0.3, 1).slice(0, 10_000),
      },
    ],
  },
  {
    name: 'a truncated normal that is not truncated',
    found: 'bounds',
    names: ['w'],
    tensors: [
      {
        name: 'w',
        shape,
        distribution: { kind: 'truncated-normal', mean: 0, std: 0.05, low: -0.1, high: 0.1 },
        values: normals(n, 0.05, 1),
      },
    ],
  },
  {
    name: 'a constant that is not',
    found: 'values',
    names: ['b'],
    tensors: [
      {
        name: 'b',
        shape: [5],
        distribution: { kind: 'constant', value: 0 },
        values: new Float32Array(5).fill(0.1, 2, 3),
      },
    ],
  },
]
