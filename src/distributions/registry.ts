import type { DType } from '../core/dtype.js'
import type { Distribution, DistributionKind, ExpectedMoments, LawOf } from '../ir/distribution.js'
import type { Filling } from '../ir/job.js'
import type { Stream } from '../random/keys.js'
import { constantLaw } from './constant.js'
import { customLaw } from './custom.js'
import { diagonalLaw } from './diagonal.js'
import type { LawKind } from './kind.js'
import { normalLaw } from './normal.js'
import { orthogonalLaw } from './orthogonal.js'
import { sinusoidLaw } from './sinusoid.js'
import { sparseLaw } from './sparse.js'
import { truncatedNormalLaw } from './truncated-normal.js'
import { uniformLaw } from './uniform.js'

const laws: { readonly [K in DistributionKind]: LawKind<LawOf<K>> } = {
  constant: constantLaw,
  uniform: uniformLaw,
  normal: normalLaw,
  'truncated-normal': truncatedNormalLaw,
  sparse: sparseLaw,
  diagonal: diagonalLaw,
  orthogonal: orthogonalLaw,
  sinusoid: sinusoidLaw,
  custom: customLaw,
}

/** Every kind of law, for tables and error messages. */
export const distributionKinds: readonly DistributionKind[] = /* @__PURE__ */ Object.keys(laws) as DistributionKind[]

// The table pairs each kind with its own law; TypeScript cannot follow that through a lookup by a union.
const lawOf = (d: Distribution): LawKind<Distribution> => laws[d.kind] as LawKind<Distribution>

export function isDistribution(value: unknown): value is Distribution {
  return Object.hasOwn(laws, String((value as Distribution | null | undefined)?.kind))
}

/**
 * Refuses a law that has no meaning, that would overflow the dtype, or that would leave the range in which every
 * device computes the same bits; returns the law to draw, in which a law without spread has become a constant.
 *
 * @param where what the message calls the parameter
 * @throws WeightInitError `INVALID_CONFIG` or `UNSUPPORTED_DTYPE`
 */
export function checkDistribution(d: Distribution, dtype: DType, where: string): Distribution {
  return lawOf(d).check(d, dtype, where)
}

export function expectedMoments(d: Distribution): ExpectedMoments {
  return lawOf(d).expected(d)
}

/** Short text for tables: `normal(0, 0.02)`. */
export function describeDistribution(d: Distribution): string {
  return lawOf(d).describe(d)
}

/** How to make the elements of a checked law. */
export function fillingOf(d: Distribution, dtype: DType, stream: Stream): Filling {
  return lawOf(d).fill(d, dtype, stream)
}
