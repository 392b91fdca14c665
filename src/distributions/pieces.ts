import { isInteger } from '../core/integers.js'
import type { DiagonalRun, DistributionOf } from '../ir/distribution.js'
import type { Patch } from '../ir/job.js'
import { brief } from './checks.js'
import { checkConstant, constantDistribution, constantPattern } from './constant.js'
import type { DistributionDefinition } from './kind.js'

export const piecesDistribution: DistributionDefinition<DistributionOf<'pieces'>> = {
  drawn: false,
  fields: { base: 'number', elementCount: 'number', runs: 'list' },
  fits: ({ base, runs }, elementCount) =>
    Array.isArray(runs) &&
    runs.every(
      (run) => isRun(run, elementCount, 1, 4) && typeof run.value === 'number' && (base === 0 || run.stride === 1),
    ),
  elementCount: ({ elementCount }) => elementCount,
  check(distribution, dtype, where) {
    const { base, runs } = distribution
    for (const value of [base, ...runs.map((run) => run.value)]) checkConstant(value, dtype, where)
    return runs.length === 0
      ? constantDistribution.check({ kind: 'constant', value: base }, dtype, where)
      : distribution
  },
  expected({ base, elementCount, runs }) {
    const share = (f: (value: number) => number): number =>
      runs.reduce((sum, { value, count }) => sum + (f(value) * count) / elementCount, 0)
    const rest = 1 - share(() => 1)
    const mean = base * rest + share((value) => value)
    const variance = (base - mean) ** 2 * rest + share((value) => (value - mean) ** 2)
    const all = [base, ...runs.map(({ value }) => value)]
    return {
      mean,
      std: Math.sqrt(Math.max(0, variance)),
      min: all.reduce((a, b) => Math.min(a, b)),
      max: all.reduce((a, b) => Math.max(a, b)),
    }
  },
  describe: ({ base, runs }) => `pieces(${[base, ...new Set(runs.map(({ value }) => value))].map(brief).join(', ')})`,
  fill({ base, runs }, dtype) {
    return {
      source: { kind: 'constant', pattern: constantPattern(base, dtype) },
      patches: runs.map(({ first, stride, count, value }): Patch => {
        const pattern = constantPattern(value, dtype)
        return stride === 1
          ? { kind: 'range', first, count, pattern }
          : { kind: 'diagonal', first, stride, count, pattern }
      }),
    }
  },
}

/**
 * Whether a run from outside lies within the tensor and says nothing else.
 * @param fields how many it has: `value` only where runs have their own
 */
export function isRun(run: DiagonalRun | null, elementCount: number, leastStride: number, fields = 3): boolean {
  const { first, stride, count } = run ?? {}
  return (
    isInteger(first, 0, elementCount - 1) &&
    isInteger(stride, leastStride, Number.MAX_SAFE_INTEGER) &&
    isInteger(count, 1, elementCount) &&
    (count === 1 || first + (count - 1) * stride < elementCount) &&
    Object.keys(run as object).length === fields
  )
}
