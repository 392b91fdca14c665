// exp, sin and cos in float64, computed with additions, multiplications and divisions only. IEEE 754 defines their results
// exactly, while JavaScript lets each engine choose the last bits of Math.exp and Math.sin. The results are within 2^-50
// of the exact values and have the same bits on every engine.

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10

/** e^x for x in [-700, 0]. */
export function exponential(x: number): number {
  const k = Math.round(x * Math.LOG2E)
  const r = x - k * LN2_HIGH - k * LN2_LOW
  // |r| <= 0.3466, so the first omitted term is below 2^-60.
  let sum = 1
  for (let n = 17; n > 0; n--) sum = 1 + (sum * r) / n
  return sum * 2 ** k
}

/** pi / 2 as the sum of three parts. The first two have 33 bits, so that k times each of them is exact for k < 2^20. */
const HALF_PI_1 = 1.5707963267341256
const HALF_PI_2 = 6.077100506303966e-11
const HALF_PI_3 = 2.0222662487959506e-21

/** Writes sin x (index 0) and cos x (index 1) to `out`, for x in [0, 2^20]. */
export function sineCosine(out: Float64Array, x: number): void {
  const k = Math.round(x * 0.6366197723675814)
  const r = x - k * HALF_PI_1 - k * HALF_PI_2 - k * HALF_PI_3
  const r2 = r * r
  // |r| <= 0.7854, so the first omitted terms of both series are below 2^-60.
  let s = 1
  let c = 1
  for (let n = 20; n > 0; n -= 2) {
    s = 1 - (s * r2) / (n * (n + 1))
    c = 1 - (c * r2) / (n * (n - 1))
  }
  s *= r
  const quadrant = k & 3
  out[0] = quadrant === 0 ? s : quadrant === 1 ? c : quadrant === 2 ? -s : -c
  out[1] = quadrant === 0 ? c : quadrant === 1 ? -s : quadrant === 2 ? -c : s
}
