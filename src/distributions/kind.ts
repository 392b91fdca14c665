import type { DType } from '../core/dtype.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { FillSpec } from '../ir/job.js'
import type { Stream } from '../random/keys.js'

/** The type of a distribution's field. JSON has no infinite numbers, so an infinite bound is null there. */
export type DistributionField = 'number' | 'lower bound' | 'upper bound' | 'text' | 'list'

/**
 * Everything that the package knows about one kind of distribution, except for its density
 * (src/statistics/expected/continuous.ts) and its samplers on the CPU (src/cpu/samplers.ts) and on the GPU
 * (shaders/distributions).
 */
export interface DistributionDefinition<D extends Distribution> {
  /** Whether its elements are random. If so, a generator of another library must support this distribution. */
  readonly drawn: boolean
  /** The fields in a manifest besides `kind`. Undefined if they are not plain data, as with a user-defined sampler. */
  readonly fields: { readonly [F in Exclude<keyof D, 'kind'>]-?: DistributionField } | undefined
  /**
   * Whether the fields of a distribution that was read from a file, whose types have been checked, describe a tensor of
   * `elementCount` elements. Distributions from initializers always do, so `check` does not test it.
   */
  fits?(distribution: D, elementCount: number): boolean
  /** The element count of the whole tensor, for a distribution that describes a shape. */
  elementCount?(distribution: D): number
  /**
   * Throws for a distribution that is invalid or outside the range in which values are exact. Returns the distribution to
   * draw, which may be simpler: one whose elements are all equal becomes a constant.
   */
  check(distribution: D, dtype: DType, where: string): Distribution
  expected(distribution: D): ExpectedMoments
  /** A short text for tables, such as `normal(0, 0.02)`. */
  describe(distribution: D): string
  /** How its elements are made. */
  fill(distribution: D, dtype: DType, stream: Stream): FillSpec
}
