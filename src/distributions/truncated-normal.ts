import { show } from '../core/errors.js'
import type { LawOf } from '../ir/distribution.js'
import { packTruncatedNormal, truncatedNormalConstants, truncatedNormalMoments } from '../random/truncated-normal.js'
import { brief, checkFinite, checkNotTiny, checkReach, checkStd, fail, requireFloat } from './checks.js'
import type { LawKind } from './kind.js'

/** |z| of the most extreme word of an unbounded law: 1 - Phi(z) = 2^-33. */
const REACH = 6.24

export const truncatedNormalLaw: LawKind<LawOf<'truncated-normal'>> = {
  check(law, dtype, where) {
    const float = requireFloat(dtype, law.kind, where)
    const mean = checkFinite(law.mean, 'mean', where)
    const std = checkStd(law.std, where)
    if (std === 0) fail(where, 'a truncated normal needs std > 0, but found std 0. Use a constant.')
    for (const [name, bound] of [
      ['a', law.low],
      ['b', law.high],
    ] as const) {
      if (typeof bound !== 'number' || Number.isNaN(bound))
        fail(where, `${name} must be a number, but found ${show(bound)}.`)
    }
    if (!(law.low < law.high)) {
      fail(
        where,
        `the interval [${law.low}, ${law.high}] is empty: a truncated normal needs a < b. Swap or widen the bounds.`,
      )
    }
    checkNotTiny(std, 'std', where)
    checkNotTiny(mean, 'mean', where)
    const { min, max } = truncatedNormalLaw.expected(law)
    checkReach(Math.max(Math.abs(min), Math.abs(max)), float, `mean ${mean} with std ${std}`, where)
    truncatedNormalConstants(law, where)
    return law
  },
  expected(law) {
    const { mean, std, low, high } = law
    return {
      ...truncatedNormalMoments(law),
      min: Math.max(low, Math.min(mean, high) - REACH * std),
      max: Math.min(high, Math.max(mean, low) + REACH * std),
    }
  },
  describe: ({ mean, std, low, high }) =>
    `truncated_normal(${brief(mean)}, ${brief(std)}; ${brief(low)}..${brief(high)})`,
  fill(law, _, stream) {
    const constants = packTruncatedNormal(truncatedNormalConstants(law, 'truncated normal'))
    return { source: { kind: 'sampler', sampler: 'truncated_normal', constants, stream }, overlays: [] }
  },
}
