import type { DistributionOf } from '../ir/distribution.js'
import { brief, checkFinite, checkMaxAbs, checkNotTiny, checkStd, NORMAL_MAX_ABS, requireFloat } from './checks.js'
import { constantDistribution } from './constant.js'
import type { DistributionDefinition } from './kind.js'

export const normalDistribution: DistributionDefinition<DistributionOf<'normal'>> = {
  drawn: true,
  fields: { mean: 'number', std: 'number' },
  check(distribution, dtype, where) {
    const float = requireFloat(dtype, distribution.kind, where)
    const mean = checkFinite(distribution.mean, 'mean', where)
    const std = checkStd(distribution.std, where)
    if (std === 0) return constantDistribution.check({ kind: 'constant', value: mean }, dtype, where)
    checkMaxAbs(Math.abs(mean) + NORMAL_MAX_ABS * std, float, `mean ${mean} with std ${std}`, where)
    checkNotTiny(std, 'std', where)
    checkNotTiny(mean, 'mean', where)
    return distribution
  },
  expected: ({ mean, std }) => ({ mean, std, min: mean - NORMAL_MAX_ABS * std, max: mean + NORMAL_MAX_ABS * std }),
  describe: ({ mean, std }) => `normal(${brief(mean)}, ${brief(std)})`,
  fill({ mean, std }, _, stream) {
    const constants = new Uint32Array(12)
    new Float32Array(constants.buffer).set([std, mean])
    return { source: { kind: 'sampler', sampler: 'normal', constants, stream }, patches: [] }
  },
}
