import { isInteger } from '../core/integers.js'
import type { DistributionOf } from '../ir/distribution.js'
import { packSparse } from '../random/sparse.js'
import { brief, checkMaxAbs, checkNotTiny, checkStd, fail, NORMAL_MAX_ABS, requireFloat } from './checks.js'
import { constantDistribution } from './constant.js'
import type { DistributionDefinition } from './kind.js'

export const sparseDistribution: DistributionDefinition<DistributionOf<'sparse'>> = {
  drawn: true,
  fields: { std: 'number', rows: 'number', columns: 'number', zeros: 'number' },
  fits: ({ rows, columns, zeros }, elementCount) =>
    isInteger(rows, 1, elementCount) && isInteger(columns, 1, elementCount) && isInteger(zeros, 0, rows),
  elementCount: ({ rows, columns }) => rows * columns,
  check(distribution, dtype, where) {
    const float = requireFloat(dtype, distribution.kind, where)
    const std = checkStd(distribution.std, where)
    const { rows, columns, zeros } = distribution
    if (rows * columns >= 2 ** 32) {
      fail(where, `sparse takes fewer than 2^32 elements, but found ${rows} x ${columns}. Split the matrix.`)
    }
    if (std === 0 || zeros >= rows) return constantDistribution.check({ kind: 'constant', value: 0 }, dtype, where)
    checkMaxAbs(NORMAL_MAX_ABS * std, float, `std ${std}`, where)
    checkNotTiny(std, 'std', where)
    return distribution
  },
  expected({ std, rows, zeros }) {
    return { mean: 0, std: std * Math.sqrt(1 - zeros / rows), min: -NORMAL_MAX_ABS * std, max: NORMAL_MAX_ABS * std }
  },
  describe: ({ std, rows, zeros }) => `sparse(${zeros} of ${rows} rows 0, std ${brief(std)})`,
  fill({ std, rows, columns, zeros }, _, stream) {
    const constants = packSparse({ std, rows, columns, zeros, key: stream.key })
    return { source: { kind: 'sampler', sampler: 'sparse', constants, stream }, patches: [] }
  },
}
