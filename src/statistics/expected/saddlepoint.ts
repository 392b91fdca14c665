// Tail probabilities of a mean of independent values, from their cumulant generating function.

import { normalSf } from '../../random/normal-cdf.js'
import type { Nodes } from './quadrature.js'
import { twoSidedNormal } from './special.js'

/** K(t) = ln E exp(t X) with its first two derivatives, finite for low < t < high. */
export interface CumulantFunction {
  at(t: number): readonly [k: number, slope: number, curvature: number]
  readonly low: number
  readonly high: number
  /** Smallest and largest value of X, and how likely they are: of nodes, those of the outermost. */
  readonly min: number
  readonly max: number
  readonly minWeight: number
  readonly maxWeight: number
  /** Whether X has few values: then no smooth formula holds, and Chernoff's bound is used for any count. */
  readonly discrete: boolean
}

/** Of g(X), X being a distribution given by its nodes. */
export function cumulantsOf({ points, weights }: Nodes, g: (x: number) => number, discrete: boolean): CumulantFunction {
  const values = points.map(g)
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const v of values) {
    if (v < min) min = v
    if (v > max) max = v
  }
  const weightNear = (end: number): number =>
    values.reduce((sum, v, i) => (Math.abs(v - end) <= 1e-9 * (max - min) ? sum + weights[i]! : sum), 0)
  return {
    min,
    max,
    minWeight: weightNear(min),
    maxWeight: weightNear(max),
    discrete,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
    at(t) {
      // About the largest exponent: nothing overflows.
      const top = t > 0 ? t * max : t * min
      let sum = 0
      let first = 0
      let second = 0
      for (let i = 0; i < values.length; i++) {
        const v = values[i]!
        const e = weights[i]! * Math.exp(t * v - top)
        sum += e
        first += e * v
        second += e * v * v
      }
      const slope = first / sum
      return [top + Math.log(sum), slope, Math.max(second / sum - slope * slope, 1e-300)]
    },
  }
}

/** Of Z^2, Z from N(0, 1): -ln(1 - 2t) / 2. */
export const normalSquareCumulants: CumulantFunction = {
  min: 0,
  max: Number.POSITIVE_INFINITY,
  minWeight: 0,
  maxWeight: 0,
  discrete: false,
  low: Number.NEGATIVE_INFINITY,
  high: 0.5,
  at(t) {
    const r = 1 / (1 - 2 * t)
    return [-0.5 * Math.log1p(-2 * t), r, 2 * r * r]
  },
}

/**
 * Per pair, of the sum of products of neighbours in a long chain of independent N(0, 1): the quadratic form's determinant
 * obeys D_n = D_(n-1) - t^2 D_(n-2), so that K(t) = -ln((1 + sqrt(1 - 4 t^2)) / 2) / 2. For chains of any length, and for
 * distributions with tails no heavier than a normal's of their variance, it is an upper bound (each value enters linearly).
 */
export const chainProductCumulants: CumulantFunction = {
  min: Number.NEGATIVE_INFINITY,
  max: Number.POSITIVE_INFINITY,
  minWeight: 0,
  maxWeight: 0,
  discrete: false,
  low: -0.5,
  high: 0.5,
  at(t) {
    const s = Math.sqrt(Math.max(1 - 4 * t * t, 1e-300))
    const q = s + s * s
    return [-0.5 * Math.log((1 + s) / 2), (2 * t) / q, (2 * q + (8 * t * t * (1 + 2 * s)) / s) / (q * q)]
  },
}

/** t with K'(t) = x: Newton, kept inside a bracket. */
function solve({ at, low, high }: CumulantFunction, x: number): number {
  let [below, above] = [low, high]
  let t = 0
  for (let step = 0; step < 200; step++) {
    const [, slope, curvature] = at(t)
    if (slope < x) below = t
    else above = t
    let next = t + (x - slope) / curvature
    if (!(next > below && next < above)) {
      if (Number.isFinite(below) && Number.isFinite(above)) next = (below + above) / 2
      else next = Number.isFinite(below) ? Math.max(1, 2 * below + 1) : Math.min(-1, 2 * above - 1)
    }
    if (Math.abs(next - t) <= 1e-12 * (1e-3 + Math.abs(t))) return next
    t = next
  }
  return t
}

/** From so many values on the saddlepoint formula is used; below, Chernoff's bound. */
const LUGANNANI_RICE_FROM = 50

/**
 * Two-sided p-value of the mean of `count` independent values with these cumulants: twice the smaller tail, at most 1.
 *
 * With t at K'(t) = mean, r = sign(t) sqrt(2 n (t mean - K(t))), u = t sqrt(n K''(t)): 1 - Phi(r + ln(u/r)/r)
 * (Lugannani and Rice 1980, in Barndorff-Nielsen's form 1986), whose relative error is O(1/n) also far out. For fewer than
 * 50 values, and for few-valued distributions, exp(-r^2/2) (Chernoff 1952): an upper bound, whatever the count.
 */
export function meanPValue(cumulants: CumulantFunction, count: number, mean: number): number {
  if (Number.isNaN(mean)) return Number.NaN
  const { min, max } = cumulants
  const nearly = Number.isFinite(max - min) ? 1e-9 * (max - min) : 0
  // All of them are the smallest or the largest value; between a distribution's bound and the outermost node it is a bound too.
  if (mean <= min + nearly) return Math.min(1, 2 * cumulants.minWeight ** count)
  if (mean >= max - nearly) return Math.min(1, 2 * cumulants.maxWeight ** count)
  const t = solve(cumulants, mean)
  const [k, , curvature] = cumulants.at(t)
  const r = Math.sign(t) * Math.sqrt(Math.max(0, 2 * count * (t * mean - k)))
  if (count < LUGANNANI_RICE_FROM || cumulants.discrete) return Math.min(1, 2 * Math.exp((-r * r) / 2))
  // At the mean itself the correction is 0/0.
  if (Math.abs(r) < 0.01) return twoSidedNormal(r)
  const u = t * Math.sqrt(count * curvature)
  const corrected = r + Math.log(u / r) / r
  return Math.min(1, 2 * Math.min(normalSf(corrected), normalSf(-corrected)))
}
