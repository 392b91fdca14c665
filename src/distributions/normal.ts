import type { LawOf } from '../ir/distribution.js'
import { brief, checkFinite, checkNotTiny, checkReach, checkStd, NORMAL_REACH, requireFloat } from './checks.js'
import { constantLaw } from './constant.js'
import type { LawKind } from './kind.js'

export const normalLaw: LawKind<LawOf<'normal'>> = {
  check(law, dtype, where) {
    const float = requireFloat(dtype, law.kind, where)
    const mean = checkFinite(law.mean, 'mean', where)
    const std = checkStd(law.std, where)
    if (std === 0) return constantLaw.check({ kind: 'constant', value: mean }, dtype, where)
    checkReach(Math.abs(mean) + NORMAL_REACH * std, float, `mean ${mean} with std ${std}`, where)
    checkNotTiny(std, 'std', where)
    checkNotTiny(mean, 'mean', where)
    return law
  },
  expected: ({ mean, std }) => ({ mean, std, min: mean - NORMAL_REACH * std, max: mean + NORMAL_REACH * std }),
  describe: ({ mean, std }) => `normal(${brief(mean)}, ${brief(std)})`,
  fill({ mean, std }, _, stream) {
    const constants = new Uint32Array(12)
    new Float32Array(constants.buffer).set([std, mean])
    return { source: { kind: 'sampler', sampler: 'normal', constants, stream }, overlays: [] }
  },
}
