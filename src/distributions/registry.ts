import type { DType } from '../core/dtype.js'
import type { Distribution, DistributionKind, DistributionOf, ExpectedMoments } from '../ir/distribution.js'
import type { Filling } from '../ir/job.js'
import type { Stream } from '../random/keys.js'
import { constantDistribution } from './constant.js'
import { customDistribution } from './custom.js'
import { diagonalDistribution } from './diagonal.js'
import type { DistributionDefinition } from './kind.js'
import { normalDistribution } from './normal.js'
import { orthogonalDistribution } from './orthogonal.js'
import { sinusoidDistribution } from './sinusoid.js'
import { sparseDistribution } from './sparse.js'
import { truncatedNormalDistribution } from './truncated-normal.js'
import { uniformDistribution } from './uniform.js'

const distributions: { readonly [K in DistributionKind]: DistributionDefinition<DistributionOf<K>> } = {
  constant: constantDistribution,
  uniform: uniformDistribution,
  normal: normalDistribution,
  'truncated-normal': truncatedNormalDistribution,
  sparse: sparseDistribution,
  diagonal: diagonalDistribution,
  orthogonal: orthogonalDistribution,
  sinusoid: sinusoidDistribution,
  custom: customDistribution,
}

/** Every kind of distribution, for tables and error messages. */
export const distributionKinds: readonly DistributionKind[] = /* @__PURE__ */ Object.keys(
  distributions,
) as DistributionKind[]

// The table pairs each kind with its own distribution; TypeScript cannot follow that through a lookup by a union.
const distributionOf = (d: Distribution): DistributionDefinition<Distribution> =>
  distributions[d.kind] as DistributionDefinition<Distribution>

export function isDistribution(value: unknown): value is Distribution {
  return Object.hasOwn(distributions, String((value as Distribution | null | undefined)?.kind))
}

/**
 * Refuses a distribution that has no meaning, that would overflow the dtype, or that would leave the range in which every
 * device computes the same bits; returns the distribution to draw, in which a distribution without spread has become a constant.
 *
 * @param where what the message calls the parameter
 * @throws WeightInitError `INVALID_CONFIG` or `UNSUPPORTED_DTYPE`
 */
export function checkDistribution(d: Distribution, dtype: DType, where: string): Distribution {
  return distributionOf(d).check(d, dtype, where)
}

export function expectedMoments(d: Distribution): ExpectedMoments {
  return distributionOf(d).expected(d)
}

/** Short text for tables: `normal(0, 0.02)`. */
export function describeDistribution(d: Distribution): string {
  return distributionOf(d).describe(d)
}

/** How to make the elements of a checked distribution. */
export function fillingOf(d: Distribution, dtype: DType, stream: Stream): Filling {
  return distributionOf(d).fill(d, dtype, stream)
}
