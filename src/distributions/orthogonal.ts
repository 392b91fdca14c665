import { isInteger } from '../core/integers.js'
import type { DistributionOf } from '../ir/distribution.js'
import { brief, checkFinite, checkMaxAbs, checkNotTiny, fail, requireFloat } from './checks.js'
import { constantDistribution } from './constant.js'
import type { DistributionDefinition } from './kind.js'

/** The device uses 32-bit element indices for the matrices of one parameter. */
const LARGEST = 2 ** 31

const elementsOf = ({ batch, rows, columns, field }: DistributionOf<'orthogonal'>): number =>
  batch * rows * columns * field

export const orthogonalDistribution: DistributionDefinition<DistributionOf<'orthogonal'>> = {
  drawn: true,
  fields: {
    gain: 'number',
    batch: 'number',
    rows: 'number',
    columns: 'number',
    field: 'number',
    centre: 'number',
    stride: 'number',
  },
  fits: ({ batch, rows, columns, field, centre, stride }, elementCount) =>
    [batch, rows, columns, field].every((n) => isInteger(n, 1, elementCount)) &&
    isInteger(centre, 0, field - 1) &&
    (stride === 1 || stride === field) &&
    (field === 1 || batch === 1),
  elementCount: elementsOf,
  check(distribution, dtype, where) {
    const float = requireFloat(dtype, distribution.kind, where)
    const gain = checkFinite(distribution.gain, 'gain', where)
    if (gain === 0) return constantDistribution.check({ kind: 'constant', value: 0 }, dtype, where)
    checkNotTiny(gain, 'gain', where)
    checkMaxAbs(Math.abs(gain), float, `gain ${gain}`, where)
    if (elementsOf(distribution) >= LARGEST) {
      fail(
        where,
        `orthogonal takes fewer than 2^31 elements, but found ${distribution.batch} x ${distribution.rows} x ${distribution.columns}. Split the parameter.`,
      )
    }
    return distribution
  },
  expected({ gain, rows, columns, field }) {
    const maxAbs = Math.abs(gain)
    return { mean: 0, std: maxAbs / Math.sqrt(Math.max(rows, columns) * field), min: -maxAbs, max: maxAbs }
  },
  describe: ({ gain, batch, field }) =>
    `${field > 1 ? 'delta_' : ''}orthogonal(${brief(gain)}${batch > 1 ? ` x ${batch}` : ''})`,
  fill: (distribution, _, stream) => ({ source: { kind: 'orthogonal', distribution, stream }, patches: [] }),
}

/** The index of the matrix's first element in the tensor. A delta-orthogonal matrix lies at the centre of every kernel. */
export function matrixOffset({ field, centre, stride, rows, columns }: DistributionOf<'orthogonal'>): number {
  return field === 1 ? 0 : stride === 1 ? centre * rows * columns : centre
}
