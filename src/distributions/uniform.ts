import { largestFinite } from '../core/dtype.js'
import type { DistributionOf } from '../ir/distribution.js'
import { uniformConstants } from '../random/uniform.js'
import { brief, checkFinite, checkNotTiny, fail, requireFloat } from './checks.js'
import { constantDistribution } from './constant.js'
import type { DistributionDefinition } from './kind.js'

export const uniformDistribution: DistributionDefinition<DistributionOf<'uniform'>> = {
  drawn: true,
  fields: { low: 'number', high: 'number' },
  check(distribution, dtype, where) {
    const float = requireFloat(dtype, distribution.kind, where)
    const largest = largestFinite(float)
    const low = checkFinite(distribution.low, 'a', where)
    const high = checkFinite(distribution.high, 'b', where)
    if (low > high) {
      fail(where, `uniform_ expects to return a [from, to) range, but found from=${low} > to=${high}. Swap a and b.`)
    }
    if (Math.abs(low) > largest)
      fail(where, `from is out of bounds for ${dtype}: a = ${low}, largest finite ${largest}.`)
    if (Math.abs(high) > largest)
      fail(where, `to is out of bounds for ${dtype}: b = ${high}, largest finite ${largest}.`)
    // Adding 0 turns -0 into 0.
    if (Math.fround(low) === Math.fround(high))
      return constantDistribution.check({ kind: 'constant', value: low + 0 }, dtype, where)
    if (high - low > largest) {
      fail(
        where,
        `uniform_ expects to-from <= std::numeric_limits<${dtype}>::max(), but found to=${high} and from=${low}.`,
      )
    }
    checkNotTiny(high - low, 'the range b - a', where)
    checkNotTiny(low, 'a', where)
    return distribution
  },
  expected: ({ low, high }) => ({ mean: (low + high) / 2, std: (high - low) / Math.sqrt(12), min: low, max: high }),
  describe: ({ low, high }) => `uniform[${brief(low)}, ${brief(high)})`,
  fill({ low, high }, _, stream) {
    const { scale, offset, top, step, zeroPoint } = uniformConstants(low, high)
    const constants = new Uint32Array(12)
    new Float32Array(constants.buffer).set([scale, offset, top, step, zeroPoint])
    return { source: { kind: 'sampler', sampler: 'uniform', constants, stream }, patches: [] }
  },
}
