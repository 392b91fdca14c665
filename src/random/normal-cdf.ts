// The normal distribution function in float64, for the host. It uses only + - * / and Math.sqrt, because Math.exp may differ
// in the last bit between JavaScript engines, and the results decide bits of the truncated normal's values.

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const SQRT_PI = 1.772453850905516

/** e^-x for x in [0, 700]. Relative error below 1e-15; the same float64 on every engine. */
export function expMinus(x: number): number {
  const k = Math.floor(x / Math.LN2 + 0.5)
  const r = k * LN2_HIGH - x + k * LN2_LOW
  let sum = 1
  for (let n = 18; n >= 1; n--) sum = 1 + (r / n) * sum
  for (let i = 0; i < k; i++) sum *= 0.5
  return sum
}

/** Density of N(0, 1). */
export function normalDensity(z: number): number {
  return z * z > 1400 ? 0 : expMinus((z * z) / 2) / (Math.SQRT2 * SQRT_PI)
}

/**
 * The upper tail of N(0, 1): 1 - Phi(z), for any z. The relative error is about 1e-14, also far from the mean; the result
 * is 0 for z > 37. Below z = 1.7 it is computed from the power series of erf, above from Laplace's continued fraction of
 * erfc (Abramowitz and Stegun 7.1.5, 7.1.14).
 */
export function normalSf(z: number): number {
  if (z < 0) return 1 - normalSf(-z)
  if (z > 37) return 0
  const x = z / Math.SQRT2
  if (x < 1.2) {
    let term = x
    let sum = x
    for (let n = 1; n < 60; n++) {
      term *= -(x * x) / n
      sum += term / (2 * n + 1)
    }
    return 0.5 - sum / SQRT_PI
  }
  let fraction = 0
  for (let n = 400; n > 0; n--) fraction = n / 2 / (x + fraction)
  return expMinus(x * x) / (x + fraction) / SQRT_PI / 2
}
