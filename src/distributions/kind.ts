import type { DType } from '../core/dtype.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { Filling } from '../ir/job.js'
import type { Stream } from '../random/keys.js'

/** Everything this package knows of one kind of law. */
export interface LawKind<D extends Distribution> {
  /** Refuses what has no meaning or leaves the exact range; may simplify (a law without spread is a constant). */
  check(law: D, dtype: DType, where: string): Distribution
  expected(law: D): ExpectedMoments
  /** Short text for tables: `normal(0, 0.02)`. */
  describe(law: D): string
  /** How to make it. */
  fill(law: D, dtype: DType, stream: Stream): Filling
}
