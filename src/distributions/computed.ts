import type { DistributionOf } from '../ir/distribution.js'
import { fail, requireFloat } from './checks.js'
import type { DistributionDefinition } from './kind.js'

/** What no sampler makes: only the program that was recorded says how, so that its moments are not known either. */
export const computedDistribution: DistributionDefinition<DistributionOf<'computed'>> = {
  drawn: true,
  fields: { operations: 'text' },
  fits: ({ operations }) => typeof operations === 'string',
  check(distribution, dtype, where) {
    requireFloat(dtype, 'computed', where)
    return distribution
  },
  expected: () => ({ mean: Number.NaN, std: Number.NaN, min: -Infinity, max: Infinity }),
  describe: ({ operations }) => `computed(${operations})`,
  // src/weights/materialize.ts refuses it before, by name, where no program makes it.
  fill: ({ operations }) => fail(operations, 'only a recorded program makes this.'),
}
