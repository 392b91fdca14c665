import type { LawOf } from '../ir/distribution.js'
import { brief, checkFinite, checkNotTiny, checkReach, fail, requireFloat } from './checks.js'
import { constantLaw } from './constant.js'
import type { LawKind } from './kind.js'

/** Element indices of one parameter's matrices are 32-bit on the device. */
const LARGEST = 2 ** 31

export const orthogonalLaw: LawKind<LawOf<'orthogonal'>> = {
  check(law, dtype, where) {
    const float = requireFloat(dtype, law.kind, where)
    const gain = checkFinite(law.gain, 'gain', where)
    if (gain === 0) return constantLaw.check({ kind: 'constant', value: 0 }, dtype, where)
    checkNotTiny(gain, 'gain', where)
    checkReach(Math.abs(gain), float, `gain ${gain}`, where)
    if (law.batch * law.rows * law.columns * law.field >= LARGEST) {
      fail(
        where,
        `orthogonal takes fewer than 2^31 elements, but found ${law.batch} x ${law.rows} x ${law.columns}. Split the parameter.`,
      )
    }
    return law
  },
  expected({ gain, rows, columns, field }) {
    const reach = Math.abs(gain)
    return { mean: 0, std: reach / Math.sqrt(Math.max(rows, columns) * field), min: -reach, max: reach }
  },
  describe: ({ gain, batch, field }) =>
    `${field > 1 ? 'delta_' : ''}orthogonal(${brief(gain)}${batch > 1 ? ` x ${batch}` : ''})`,
  fill: (law, _, stream) => ({ source: { kind: 'orthogonal', law, stream }, overlays: [] }),
}

/** Index in the tensor of the matrix's first element: a delta-orthogonal's centre is one place of every kernel. */
export function matrixOffset({ field, centre, stride, rows, columns }: LawOf<'orthogonal'>): number {
  return field === 1 ? 0 : stride === 1 ? centre * rows * columns : centre
}
