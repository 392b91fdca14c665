import { show } from '../core/errors.js'
import type { DistributionOf } from '../ir/distribution.js'
import { exponential, sineCosine } from '../random/elementary.js'
import { fail, requireFloat } from './checks.js'
import type { DistributionDefinition } from './kind.js'

const fround = Math.fround

type SinusoidDistribution = DistributionOf<'sinusoid'>

/** With more rows, an angle could leave the range of sineCosine. */
const MAX_ROWS = 2 ** 20

/**
 * The radians per position of every pair of columns j: exp(-j ln(maxTimescale) / n), where n is columns / 2 for 'interleaved'
 * and columns / 2 - 1 for 'halves'. They are rounded as in PyTorch programs, so that the table equals theirs.
 */
function frequencies({ columns, maxTimescale, arrangement }: SinusoidDistribution): Float32Array {
  const half = columns / 2
  const step = fround(-Math.log(maxTimescale) / (arrangement === 'interleaved' ? half : half - 1))
  return Float32Array.from({ length: half }, (_, j) => exponential(fround(step * j)))
}

/** Elements [first, first + count) of the table, row-major, as float32 in a new array. The same bits on every engine. */
export function sinusoidElements(distribution: SinusoidDistribution, first: number, count: number): Float32Array {
  const { columns, arrangement } = distribution
  const half = columns / 2
  const perPosition = frequencies(distribution)
  const both = new Float64Array(2)
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const row = Math.floor((first + i) / columns)
    const column = (first + i) % columns
    const pair = arrangement === 'interleaved' ? column >> 1 : column % half
    const cosine = arrangement === 'interleaved' ? column & 1 : Number(column >= half)
    sineCosine(both, fround(row * perPosition[pair]!))
    out[i] = both[cosine]!
  }
  return out
}

/**
 * The mean of the table, from the geometric series of e^(i t w). (The mean square is 1/2, because every sine has its cosine in
 * the table.)
 */
function meanOf(distribution: SinusoidDistribution): number {
  const { rows, columns } = distribution
  let sum = 0
  for (const w of frequencies(distribution)) {
    const middle = ((rows - 1) * w) / 2
    sum += (Math.sin(middle) + Math.cos(middle)) * (Math.sin((rows * w) / 2) / Math.sin(w / 2))
  }
  return sum / (rows * columns)
}

export const sinusoidDistribution: DistributionDefinition<SinusoidDistribution> = {
  drawn: false,
  fields: { rows: 'number', columns: 'number', maxTimescale: 'number', arrangement: 'text' },
  elementCount: ({ rows, columns }) => rows * columns,
  check(distribution, dtype, where) {
    requireFloat(dtype, 'sinusoidal', where)
    const { rows, columns, maxTimescale, arrangement } = distribution
    const known = arrangement === 'halves' || arrangement === 'interleaved'
    const counts = [rows, columns].every((n) => Number.isSafeInteger(n) && n >= 1)
    if (!known || !counts || columns % 2 !== 0 || columns < 4) {
      fail(where, `sinusoids need an even number of columns from 4 on, but found ${show(distribution)}.`)
    }
    if (rows > MAX_ROWS) fail(where, `sinusoids are exact for at most ${MAX_ROWS} positions, but found ${rows}.`)
    if (!(maxTimescale > 1 && maxTimescale <= 1e9)) {
      fail(
        where,
        `the largest timescale of sinusoids must be above 1 and at most 1e9, but found ${show(maxTimescale)}.`,
      )
    }
    return distribution
  },
  expected(distribution) {
    const mean = meanOf(distribution)
    return { mean, std: Math.sqrt(Math.max(0, 0.5 - mean ** 2)), min: -1, max: 1 }
  },
  describe: ({ arrangement, maxTimescale }) => `sinusoidal(${arrangement}, ${maxTimescale})`,
  fill: (distribution) => ({ source: { kind: 'table', distribution }, patches: [] }),
}
