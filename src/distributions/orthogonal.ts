import { isInteger } from '../core/integers.js'
import type { DistributionOf } from '../ir/distribution.js'
import { brief, checkFinite, checkNotTiny, checkReach, fail, requireFloat } from './checks.js'
import { constantDistribution } from './constant.js'
import type { DistributionDefinition } from './kind.js'

/** Element indices of one parameter's matrices are 32-bit on the device. */
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
    checkReach(Math.abs(gain), float, `gain ${gain}`, where)
    if (elementsOf(distribution) >= LARGEST) {
      fail(
        where,
        `orthogonal takes fewer than 2^31 elements, but found ${distribution.batch} x ${distribution.rows} x ${distribution.columns}. Split the parameter.`,
      )
    }
    return distribution
  },
  expected({ gain, rows, columns, field }) {
    const reach = Math.abs(gain)
    return { mean: 0, std: reach / Math.sqrt(Math.max(rows, columns) * field), min: -reach, max: reach }
  },
  describe: ({ gain, batch, field }) =>
    `${field > 1 ? 'delta_' : ''}orthogonal(${brief(gain)}${batch > 1 ? ` x ${batch}` : ''})`,
  fill: (distribution, _, stream) => ({ source: { kind: 'orthogonal', distribution, stream }, patches: [] }),
}

/** Index in the tensor of the matrix's first element: a delta-orthogonal's centre is one place of every kernel. */
export function matrixOffset({ field, centre, stride, rows, columns }: DistributionOf<'orthogonal'>): number {
  return field === 1 ? 0 : stride === 1 ? centre * rows * columns : centre
}
