/** Count, mean and sums of powers of the deviations of the finite elements, with their extremes. Mergeable. */
export interface Moments {
  readonly count: number
  readonly nonFiniteCount: number
  readonly zeroCount: number
  readonly mean: number
  /** Sums of (x - mean)^2, ^3 and ^4. */
  readonly squares: number
  readonly cubes: number
  readonly fourths: number
  readonly min: number
  readonly max: number
}

export const noMoments: Moments = {
  count: 0,
  nonFiniteCount: 0,
  zeroCount: 0,
  mean: 0,
  squares: 0,
  cubes: 0,
  fourths: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
}

/**
 * Moments of two disjoint parts together, float64 (Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for
 * computing sample variances", 1979; higher powers: Pébay, SAND2008-6212, 2008). With n = n_a + n_b, d = mean_b - mean_a:
 *
 *     mean    = mean_a + d n_b/n
 *     squares = S_a + S_b + d^2 n_a n_b / n
 *     cubes   = C_a + C_b + d^3 n_a n_b (n_a - n_b) / n^2 + 3 d (n_a S_b - n_b S_a) / n
 *     fourths = F_a + F_b + d^4 n_a n_b (n_a^2 - n_a n_b + n_b^2) / n^3 + 6 d^2 (n_a^2 S_b + n_b^2 S_a) / n^2
 *               + 4 d (n_a C_b - n_b C_a) / n
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const counters = {
    nonFiniteCount: a.nonFiniteCount + b.nonFiniteCount,
    zeroCount: a.zeroCount + b.zeroCount,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
  if (a.count === 0 || b.count === 0) return { ...(a.count === 0 ? b : a), ...counters }
  const count = a.count + b.count
  const d = b.mean - a.mean
  // Shares instead of counts: products of counts would pass 2^53.
  const pa = a.count / count
  const pb = b.count / count
  const between = d * d * a.count * pb
  return {
    ...counters,
    count,
    mean: a.mean + d * pb,
    squares: a.squares + b.squares + between,
    cubes: a.cubes + b.cubes + between * d * (pa - pb) + 3 * d * (pa * b.squares - pb * a.squares),
    fourths:
      a.fourths +
      b.fourths +
      between * d * d * (pa * pa - pa * pb + pb * pb) +
      6 * d * d * (pa * pa * b.squares + pb * pb * a.squares) +
      4 * d * (pa * b.cubes - pb * a.cubes),
  }
}

/** Moments of values, float64, in two passes: first the mean, about `center` near it, then the deviations. */
export function momentsOf(values: ArrayLike<number>, center: number): Moments {
  let count = 0
  let zeroCount = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!
    if (!Number.isFinite(x)) continue
    count++
    if (x === 0) zeroCount++
    sum += x - center
    if (x < min) min = x
    if (x > max) max = x
  }
  const nonFiniteCount = values.length - count
  if (count === 0) return { ...noMoments, nonFiniteCount }
  const mean = center + sum / count
  let rest = 0
  let squares = 0
  let cubes = 0
  let fourths = 0
  for (let i = 0; i < values.length; i++) {
    const d = values[i]! - mean
    const d2 = d * d
    // Of NaN and infinities d2 - d2 is no number.
    if (d2 - d2 !== 0) continue
    rest += d
    squares += d2
    cubes += d2 * d
    fourths += d2 * d2
  }
  // What rounding left in the mean.
  squares = Math.max(0, squares - (rest * rest) / count)
  return { count, nonFiniteCount, zeroCount, mean, squares, cubes, fourths, min, max }
}

/** Sums over y = (x - center) scale of powers 1 to 4. */
export type PowerSums = readonly [number, number, number, number]

/** Sums about a centre near the mean as moments: the binomial shift to the mean, float64. */
export function momentsFromSums(
  counters: Pick<Moments, 'count' | 'nonFiniteCount' | 'zeroCount' | 'min' | 'max'>,
  [s1, s2, s3, s4]: PowerSums,
  { center, scale }: { readonly center: number; readonly scale: number },
): Moments {
  const { count } = counters
  if (count === 0) return { ...noMoments, nonFiniteCount: counters.nonFiniteCount }
  const m = s1 / count
  return {
    ...counters,
    mean: center + m / scale,
    squares: Math.max(0, s2 - m * s1) / scale ** 2,
    cubes: (s3 - 3 * m * s2 + 2 * m * m * s1) / scale ** 3,
    fourths: Math.max(0, s4 - 4 * m * s3 + 6 * m * m * s2 - 3 * m ** 3 * s1) / scale ** 4,
  }
}
