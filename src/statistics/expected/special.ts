// Distribution functions for p-values, float64.

import { normalDensity, normalSf } from '../../random/normal-cdf.js'

/** z with 1 - Phi(z) = q for 0 < q < 1: a rational start (Abramowitz and Stegun 26.2.23), then Newton; about 1e-14. */
export function normalIsf(q: number): number {
  if (q > 0.5) return -normalIsf(1 - q)
  const t = Math.sqrt(-2 * Math.log(q))
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  for (let i = 0; i < 3; i++) z += (normalSf(z) - q) / normalDensity(z)
  return z
}

/** P(|Z| >= |z|) for Z from N(0, 1). */
export const twoSidedNormal = (z: number): number => Math.min(1, 2 * normalSf(Math.abs(z)))

/** ln Gamma(x), x > 0: Stirling's series from 12 on, the recurrence below; about 1e-14. */
export function logGamma(x: number): number {
  let shift = 0
  let y = x
  for (; y < 12; y++) shift -= Math.log(y)
  const r = 1 / (y * y)
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / y
  return shift + (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series
}

/** P(a, x) and Q(a, x), the regularised incomplete gamma functions: series below a + 1, continued fraction above (DLMF 8.7.1, 8.9.2). */
function incompleteGamma(a: number, x: number): { lower: number; upper: number } {
  if (x <= 0) return { lower: 0, upper: 1 }
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 10_000 && term > sum * 1e-17; n++) {
      term *= x / (a + n)
      sum += term
    }
    const lower = Math.min(1, front * sum)
    return { lower, upper: 1 - lower }
  }
  // Modified Lentz.
  let b = x + 1 - a
  let c = 1e300
  let d = 1 / b
  let h = d
  for (let n = 1; n < 10_000; n++) {
    const an = -n * (n - a)
    b += 2
    d = 1 / (an * d + b)
    c = b + an / c
    const factor = d * c
    h *= factor
    if (Math.abs(factor - 1) < 1e-16) break
  }
  const upper = Math.min(1, front * h)
  return { lower: 1 - upper, upper }
}

/** P(X >= x) for X chi-squared with k degrees of freedom; for k up to some thousands. */
export const chiSquaredSf = (x: number, k: number): number => incompleteGamma(k / 2, x / 2).upper

/** P(X <= x), likewise. */
export const chiSquaredCdf = (x: number, k: number): number => incompleteGamma(k / 2, x / 2).lower

/**
 * A bound on P(B >= count) for B binomial of n trials with probability p (Chernoff): exp(-n KL(count/n || p)); 1 where count
 * is no more than the mean.
 */
export function binomialTailBound(count: number, n: number, p: number): number {
  const share = count / n
  if (!(share > p)) return 1
  if (p <= 0) return 0
  const rest = share < 1 ? (1 - share) * Math.log((1 - share) / (1 - p)) : 0
  return Math.exp(-n * (share * Math.log(share / p) + rest))
}
