import { show } from '../core/errors.js'
import type { DistributionOf } from '../ir/distribution.js'
import { packTruncatedNormal, truncatedNormalConstants, truncatedNormalMoments } from '../random/truncated-normal.js'
import { brief, checkFinite, checkMaxAbs, checkNotTiny, checkStd, fail, requireFloat } from './checks.js'
import type { DistributionDefinition } from './kind.js'

/** The largest |z| of an unbounded distribution, which the most extreme word gives: 1 - Phi(z) = 2^-33. */
const MAX_ABS = 6.24

export const truncatedNormalDistribution: DistributionDefinition<DistributionOf<'truncated-normal'>> = {
  drawn: true,
  fields: { mean: 'number', std: 'number', low: 'lower bound', high: 'upper bound' },
  check(distribution, dtype, where) {
    const float = requireFloat(dtype, distribution.kind, where)
    const mean = checkFinite(distribution.mean, 'mean', where)
    const std = checkStd(distribution.std, where)
    if (std === 0) fail(where, 'a truncated normal needs std > 0, but found std 0. Use a constant.')
    for (const [name, bound] of [
      ['a', distribution.low],
      ['b', distribution.high],
    ] as const) {
      if (typeof bound !== 'number' || Number.isNaN(bound))
        fail(where, `${name} must be a number, but found ${show(bound)}.`)
    }
    if (!(distribution.low < distribution.high)) {
      fail(
        where,
        `the interval [${distribution.low}, ${distribution.high}] is empty: a truncated normal needs a < b. Swap or widen the bounds.`,
      )
    }
    checkNotTiny(std, 'std', where)
    checkNotTiny(mean, 'mean', where)
    const { min, max } = truncatedNormalDistribution.expected(distribution)
    checkMaxAbs(Math.max(Math.abs(min), Math.abs(max)), float, `mean ${mean} with std ${std}`, where)
    truncatedNormalConstants(distribution, where)
    return distribution
  },
  expected(distribution) {
    const { mean, std, low, high } = distribution
    return {
      ...truncatedNormalMoments(distribution),
      min: Math.max(low, Math.min(mean, high) - MAX_ABS * std),
      max: Math.min(high, Math.max(mean, low) + MAX_ABS * std),
    }
  },
  describe: ({ mean, std, low, high }) =>
    `truncated_normal(${brief(mean)}, ${brief(std)}; ${brief(low)}..${brief(high)})`,
  fill(distribution, _, stream) {
    const constants = packTruncatedNormal(truncatedNormalConstants(distribution, 'truncated normal'))
    return { source: { kind: 'sampler', sampler: 'truncated_normal', constants, stream }, patches: [] }
  },
}
