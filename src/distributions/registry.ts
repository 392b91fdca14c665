import type { DType } from '../core/dtype.js'
import type { Distribution, DistributionKind, DistributionOf, ExpectedMoments } from '../ir/distribution.js'
import type { FillSpec } from '../ir/job.js'
import type { Stream } from '../random/keys.js'
import { computedDistribution } from './computed.js'
import { constantDistribution } from './constant.js'
import { customDistribution } from './custom.js'
import { diagonalDistribution } from './diagonal.js'
import type { DistributionDefinition, DistributionField } from './kind.js'
import { normalDistribution } from './normal.js'
import { orthogonalDistribution } from './orthogonal.js'
import { piecesDistribution } from './pieces.js'
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
  pieces: piecesDistribution,
  computed: computedDistribution,
  orthogonal: orthogonalDistribution,
  sinusoid: sinusoidDistribution,
  custom: customDistribution,
}

/** Every kind of distribution, for tables and error messages. */
export const distributionKinds: readonly DistributionKind[] = /* @__PURE__ */ Object.keys(
  distributions,
) as DistributionKind[]

/** The fields in JSON besides `kind`; undefined for a kind whose parameters are not plain data. */
export function distributionFields(kind: DistributionKind): Readonly<Record<string, DistributionField>> | undefined {
  return distributions[kind].fields
}

/** Whether a distribution read from a file, whose types have been checked, describes a tensor of `elementCount` elements. */
export function fitsElements(d: Distribution, elementCount: number): boolean {
  const { fits } = distributionOf(d)
  return (fits?.(d, elementCount) ?? true) && (elementCountOf(d) ?? elementCount) === elementCount
}

// The table pairs each kind with the definition of that kind, which TypeScript cannot infer for a lookup by a union.
const distributionOf = (d: Distribution): DistributionDefinition<Distribution> =>
  distributions[d.kind] as DistributionDefinition<Distribution>

export function isDistribution(value: unknown): value is Distribution {
  const kind: unknown = (value as Distribution | null | undefined)?.kind
  return typeof kind === 'string' && Object.hasOwn(distributions, kind)
}

/**
 * Throws for a distribution that is invalid, that would overflow the dtype, or that is outside the range in which every
 * device computes the same bits. Returns the distribution to draw: one whose elements are all equal becomes a constant.
 *
 * @param where the name of the parameter in the message
 * @throws WeightInitError `INVALID_CONFIG` or `UNSUPPORTED_DTYPE`
 */
export function checkDistribution(d: Distribution, dtype: DType, where: string): Distribution {
  return distributionOf(d).check(d, dtype, where)
}

export function expectedMoments(d: Distribution): ExpectedMoments {
  return distributionOf(d).expected(d)
}

/** A short text for tables, such as `normal(0, 0.02)`. */
export function describeDistribution(d: Distribution): string {
  return distributionOf(d).describe(d)
}

/** Whether the elements are random. */
export function isDrawn(d: Distribution): boolean {
  return distributionOf(d).drawn
}

/** The element count of the whole tensor; undefined for a distribution that does not describe a shape. */
export function elementCountOf(d: Distribution): number | undefined {
  return distributionOf(d).elementCount?.(d)
}

/** How the elements of a checked distribution are made. */
export function fillSpecOf(d: Distribution, dtype: DType, stream: Stream): FillSpec {
  return distributionOf(d).fill(d, dtype, stream)
}
