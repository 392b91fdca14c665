import { isInteger } from '../core/integers.js'
import type { DiagonalRun, DistributionOf } from '../ir/distribution.js'
import { brief } from './checks.js'
import { checkConstant, constantPattern } from './constant.js'
import type { DistributionDefinition } from './kind.js'

export const diagonalDistribution: DistributionDefinition<DistributionOf<'diagonal'>> = {
  drawn: false,
  fields: { value: 'number', elementCount: 'number', runs: 'list' },
  fits: ({ runs }, elementCount) => Array.isArray(runs) && runs.every((run) => isRun(run, elementCount)),
  elementCount: ({ elementCount }) => elementCount,
  check(distribution, dtype, where) {
    checkConstant(distribution.value, dtype, where)
    return distribution
  },
  expected({ value, elementCount, runs }) {
    const share = runs.reduce((sum, { count }) => sum + count, 0) / elementCount
    return {
      mean: value * share,
      std: Math.abs(value) * Math.sqrt(share * (1 - share)),
      min: Math.min(0, value),
      max: Math.max(0, value),
    }
  },
  describe: ({ value, runs }) => `diagonal(${brief(value)} x ${runs.reduce((sum, { count }) => sum + count, 0)})`,
  fill({ value, runs }, dtype) {
    return {
      source: { kind: 'constant', pattern: constantPattern(0, dtype) },
      patches: runs.map((run) => ({ kind: 'diagonal', ...run, pattern: constantPattern(value, dtype) })),
    }
  },
}

function isRun(run: DiagonalRun | null, elementCount: number): boolean {
  const { first, stride, count } = run ?? {}
  return (
    isInteger(first, 0, elementCount - 1) &&
    isInteger(stride, 2, Number.MAX_SAFE_INTEGER) &&
    isInteger(count, 1, elementCount) &&
    (count === 1 || first + (count - 1) * stride < elementCount) &&
    Object.keys(run as object).length === 3
  )
}
