import type { ExpectedMoments } from '../distributions.js'
import type { PlannedParameter } from '../plan.js'
import type { Moments } from './moments.js'

/** Measured over a parameter's elements, beside what its distribution promises. */
export interface ParameterStatistics {
  readonly name: string
  /** Finite elements; mean, std, min and max are over these. */
  readonly count: number
  readonly mean: number
  /** Population standard deviation: divided by count. */
  readonly std: number
  readonly min: number
  readonly max: number
  readonly nonFiniteCount: number
  readonly zeroCount: number
  readonly expected: ExpectedMoments
}

export function parameterStatistics({ name, expected }: PlannedParameter, moments: Moments): ParameterStatistics {
  const { count, mean, squares, min, max, nonFiniteCount, zeroCount } = moments
  return {
    name,
    count,
    mean: count === 0 ? Number.NaN : mean,
    std: count === 0 ? Number.NaN : Math.sqrt(squares / count),
    min,
    max,
    nonFiniteCount,
    zeroCount,
    expected,
  }
}
