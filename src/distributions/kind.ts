import type { DType } from '../core/dtype.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { Filling } from '../ir/job.js'
import type { Stream } from '../random/keys.js'

/** Everything this package knows of one kind of distribution. */
export interface DistributionDefinition<D extends Distribution> {
  /** Refuses what has no meaning or leaves the exact range; may simplify (a distribution without spread is a constant). */
  check(distribution: D, dtype: DType, where: string): Distribution
  expected(distribution: D): ExpectedMoments
  /** Short text for tables: `normal(0, 0.02)`. */
  describe(distribution: D): string
  /** How to make it. */
  fill(distribution: D, dtype: DType, stream: Stream): Filling
}
