import type { DType } from '../core/dtype.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { Filling } from '../ir/job.js'
import type { Stream } from '../random/keys.js'

/** What a field of a distribution is. JSON has no infinite numbers: there an infinite bound is null. */
export type DistributionField = 'number' | 'lower bound' | 'upper bound' | 'text' | 'list'

/**
 * Everything this package knows of one kind of distribution, but for its density (src/statistics/expected/continuous.ts)
 * and, where it draws with a sampler, the sampler on the CPU and on the GPU (src/cpu/samplers.ts, shaders/distributions).
 */
export interface DistributionDefinition<D extends Distribution> {
  /** Whether its elements are drawn: then another library's generator has to have this distribution. */
  readonly drawn: boolean
  /** The fields that a manifest holds beside `kind`; undefined where they are no data, as a sampler of the user's own. */
  readonly fields: { readonly [F in Exclude<keyof D, 'kind'>]-?: DistributionField } | undefined
  /**
   * Whether fields from outside, every number a number, describe a tensor of so many elements. Initializers make no others,
   * so `check` takes it for granted.
   */
  fits?(distribution: D, elementCount: number): boolean
  /** Elements of the whole tensor, of a distribution that speaks of its shape. */
  elementCount?(distribution: D): number
  /** Refuses what has no meaning or leaves the exact range; may simplify (a distribution without spread is a constant). */
  check(distribution: D, dtype: DType, where: string): Distribution
  expected(distribution: D): ExpectedMoments
  /** Short text for tables: `normal(0, 0.02)`. */
  describe(distribution: D): string
  /** How to make it. */
  fill(distribution: D, dtype: DType, stream: Stream): Filling
}
