// What a comparison found: bit by bit, and within a bound where devices make other bits.

import type { Comparison } from '../core/comparison.js'
import type { PlannedParameter } from '../ir/plan.js'

export interface ParameterVerification {
  readonly name: string
  readonly elementCount: number
  /** Elements that were compared bit by bit. */
  readonly comparedCount: number
  /** Of those: elements that differ from the CPU's in at least one bit. */
  readonly mismatchCount: number
  /** Row-major index of the first of them. */
  readonly firstMismatch?: number
  /**
   * Largest distance of one of them, in units in the last place: how many numbers of the dtype lie between the two, counted
   * over 0 (0 and -0 are one apart), infinities and NaN. Of integers the difference.
   */
  readonly largestUlpDistance?: number
  /** Only of an orthogonal distribution, whose elements are compared within a bound instead. */
  readonly withinBound?: BoundedComparison
  /**
   * Only of an orthogonal distribution: max |Q^T Q / gain^2 - I| of the stored matrices; where they were compared with a second run of
   * the device, of those, in float32. Not of parts that the CPU is compared with.
   */
  readonly orthogonalityError?: number
  /** True when no compared element differs or is beyond its bound, and the matrices are as orthogonal as their rounding allows. */
  readonly ok: boolean
}

/** Elements that devices make with other bits, and how far they are from what they are compared with. */
export interface BoundedComparison {
  /** Elements that were compared so. They are not in `comparedCount`. */
  readonly count: number
  /**
   * The largest |difference| that any of them may have: 2e-5 |gain|, more for normals close to singular, and the rounding of
   * the dtype.
   */
  readonly bound: number
  /** The largest |difference|; NaN where an element is not finite. */
  readonly largestDifference: number
  /** Elements beyond their bound. */
  readonly beyondCount: number
  /** Row-major index of the first of them; of a parameter only. */
  readonly firstBeyond?: number
  /**
   * Of `count`: elements of matrices that are too large for the CPU (more than 2^30 multiplications and additions), compared with
   * those that the same device makes in a second run.
   */
  readonly secondRunCount: number
}

export interface VerificationReport {
  /** True when no compared element differs, none is beyond its bound, and orthogonal matrices are orthogonal. */
  readonly ok: boolean
  readonly elementCount: number
  /** Elements that were compared bit by bit. */
  readonly comparedCount: number
  /** Of those: elements that differ in at least one bit. */
  readonly mismatchCount: number
  /** Elements that were compared within a bound; only of models with orthogonal matrices. */
  readonly withinBound?: BoundedComparison
  /** False when only a sample was compared. */
  readonly complete: boolean
  readonly parameters: readonly ParameterVerification[]
}

/** The result of a parameter whose elements are the same bits on every device. */
export function comparedBitByBit(
  { name, elementCount }: PlannedParameter,
  comparison: Comparison,
): ParameterVerification {
  const result = comparison.result()
  return { name, elementCount, ...result, ok: result.mismatchCount === 0 }
}

/** The parameters' results with their sums. */
export function verificationReport(parameters: readonly ParameterVerification[]): VerificationReport {
  const sum = (pick: (p: ParameterVerification) => number): number => parameters.reduce((n, p) => n + pick(p), 0)
  const comparedCount = sum((p) => p.comparedCount)
  const elementCount = sum((p) => p.elementCount)
  const bounded = parameters.flatMap(({ withinBound }) => (withinBound === undefined ? [] : [withinBound]))
  const withinBound = bounded.length === 0 ? undefined : bounded.reduce(together)
  return {
    ok: parameters.every(({ ok }) => ok),
    elementCount,
    comparedCount,
    mismatchCount: sum((p) => p.mismatchCount),
    ...(withinBound === undefined ? {} : { withinBound }),
    complete: comparedCount + (withinBound?.count ?? 0) === elementCount,
    parameters,
  }
}

const together = (a: BoundedComparison, b: BoundedComparison): BoundedComparison => ({
  count: a.count + b.count,
  bound: Math.max(a.bound, b.bound),
  largestDifference: Math.max(a.largestDifference, b.largestDifference),
  beyondCount: a.beyondCount + b.beyondCount,
  secondRunCount: a.secondRunCount + b.secondRunCount,
})
