/**
 * erf(x) in float64, with an error below 4e-16. It is computed from the Maclaurin series for |x| <= 3 and from the continued
 * fraction of erfc beyond (Abramowitz and Stegun 7.1.6 and 7.1.14). It uses Math.exp, whose last bits depend on the engine, so
 * it is meant for bounds on the host and not for values that must have the same bits everywhere.
 */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a <= 3) {
    // 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!. All terms have the same sign, so nothing cancels.
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
  }
  let fraction = 0
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction))
}
