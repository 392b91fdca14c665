/** Count, mean and sum of squared deviations of the finite elements, with their extremes. Mergeable. */
export interface Moments {
  readonly count: number
  readonly nonFiniteCount: number
  readonly zeroCount: number
  readonly mean: number
  /** Sum of squared deviations from the mean. */
  readonly squares: number
  readonly min: number
  readonly max: number
}

export const noMoments: Moments = {
  count: 0,
  nonFiniteCount: 0,
  zeroCount: 0,
  mean: 0,
  squares: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
}

/**
 * Moments of two disjoint parts together, float64 (Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm
 * for computing sample variances", 1979): d = mean_b - mean_a, mean = mean_a + d n_b/n, squares += d^2 n_a n_b / n.
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const count = a.count + b.count
  const d = b.mean - a.mean
  const share = count === 0 ? 0 : b.count / count
  return {
    count,
    nonFiniteCount: a.nonFiniteCount + b.nonFiniteCount,
    zeroCount: a.zeroCount + b.zeroCount,
    mean: a.count === 0 ? b.mean : b.count === 0 ? a.mean : a.mean + d * share,
    squares: a.squares + b.squares + d * d * a.count * share,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
}

/** Moments of values in float64: sums about a centre near the mean, so that the variance does not cancel. */
export function momentsOf(values: ArrayLike<number>, center: number): Moments {
  let count = 0
  let zeroCount = 0
  let sum = 0
  let sumSquares = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!
    if (!Number.isFinite(x)) continue
    const d = x - center
    count++
    if (x === 0) zeroCount++
    sum += d
    sumSquares += d * d
    if (x < min) min = x
    if (x > max) max = x
  }
  return momentsFromSums({ count, nonFiniteCount: values.length - count, zeroCount, sum, sumSquares, min, max }, center)
}

/** Sums about `center` as moments. */
export function momentsFromSums(
  sums: Omit<Moments, 'mean' | 'squares'> & { readonly sum: number; readonly sumSquares: number },
  center: number,
): Moments {
  const { count, sum, sumSquares } = sums
  if (count === 0) return { ...noMoments, nonFiniteCount: sums.nonFiniteCount }
  return {
    count,
    nonFiniteCount: sums.nonFiniteCount,
    zeroCount: sums.zeroCount,
    mean: center + sum / count,
    squares: Math.max(0, sumSquares - (sum * sum) / count),
    min: sums.min,
    max: sums.max,
  }
}
