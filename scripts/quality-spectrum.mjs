// The spectrum of a square matrix of normals: all singular values, by bidiagonalisation and Sturm counts, and the predictions
// of random matrix theory. Used by check-quality.mjs.

/**
 * Householder bidiagonalisation (Golub and Kahan 1965) of a row-major n x n matrix, in place. Returns the diagonal and the
 * superdiagonal. Their signs are arbitrary, because they do not change the singular values.
 */
export function bidiagonal(a, n) {
  const diagonal = new Float64Array(n)
  const above = new Float64Array(n - 1)
  const v = new Float64Array(n)
  const w = new Float64Array(n)
  /** Makes v[from ...] a Householder vector with (I - v vT) x = norm e1, up to the sign. Returns the norm. */
  const reflector = (from) => {
    let squares = 0
    for (let i = from; i < n; i++) squares += v[i] * v[i]
    const norm = Math.sqrt(squares)
    if (norm === 0) return 0
    v[from] += v[from] < 0 ? -norm : norm
    let length = 0
    for (let i = from; i < n; i++) length += v[i] * v[i]
    const scale = Math.sqrt(2 / length)
    for (let i = from; i < n; i++) v[i] *= scale
    return norm
  }
  for (let k = 0; k < n; k++) {
    for (let r = k; r < n; r++) v[r] = a[r * n + k]
    diagonal[k] = reflector(k)
    w.fill(0, k + 1)
    for (let r = k; r < n; r++) {
      const [at, factor] = [r * n, v[r]]
      for (let c = k + 1; c < n; c++) w[c] += factor * a[at + c]
    }
    for (let r = k; r < n; r++) {
      const [at, factor] = [r * n, v[r]]
      for (let c = k + 1; c < n; c++) a[at + c] -= factor * w[c]
    }
    if (k === n - 1) break
    for (let c = k + 1; c < n; c++) v[c] = a[k * n + c]
    above[k] = reflector(k + 1)
    for (let r = k + 1; r < n; r++) {
      const at = r * n
      let dot = 0
      for (let c = k + 1; c < n; c++) dot += v[c] * a[at + c]
      for (let c = k + 1; c < n; c++) a[at + c] -= dot * v[c]
    }
  }
  return { diagonal, above }
}

/**
 * The same for a matrix of normals, without making the matrix: the diagonal chi_n, ..., chi_1 and the superdiagonal
 * chi_(n-1), ..., chi_1 give the same distribution of singular values (Silverstein 1985; Dumitriu and Edelman 2002).
 * @param chi draws from the chi distribution with this number of degrees of freedom
 */
export function bidiagonalOfNormals(n, chi) {
  return {
    diagonal: Float64Array.from({ length: n }, (_, k) => chi(n - k)),
    above: Float64Array.from({ length: n - 1 }, (_, k) => chi(n - 1 - k)),
  }
}

/**
 * The number of singular values below x > 0. This is Sturm's count for the symmetric matrix with zeros on the diagonal and
 * d1, e1, d2, e2, ... beside it. Its eigenvalues are plus and minus the singular values.
 */
export function countBelow({ diagonal, above }, x) {
  const n = diagonal.length
  let pivot = -x
  let negative = 1
  for (let k = 0; k < n; k++) {
    pivot = -x - (diagonal[k] * diagonal[k]) / pivot
    if (pivot < 0) negative++
    if (k === n - 1) break
    pivot = -x - (above[k] * above[k]) / pivot
    if (pivot < 0) negative++
  }
  return negative - n
}

/** All singular values in ascending order, each accurate to about 1e-13 of the largest. */
export function singularValues(b) {
  const n = b.diagonal.length
  const top = 2 * (Math.max(...b.diagonal) + Math.max(...b.above))
  const values = new Float64Array(n)
  const find = (low, high, below, upTo) => {
    if (upTo === below) return
    const middle = (low + high) / 2
    if (middle <= low || middle >= high || high - low < 1e-13 * top) {
      values.fill(middle, below, upTo)
      return
    }
    const count = countBelow(b, middle)
    find(low, middle, below, count)
    find(middle, high, count, upTo)
  }
  find(0, top, 0, n)
  return values
}

/** Marchenko and Pastur's distribution of s / sqrt(n) for square matrices: the quarter circle on [0, 2]. */
export const quarterCircle = (x) =>
  x <= 0 ? 0 : x >= 2 ? 1 : ((x * Math.sqrt(4 - x * x)) / 2 + 2 * Math.asin(x / 2)) / Math.PI

/** n times the Kolmogorov distance to the quarter circle, measured at the 4 n quantiles of the distribution. */
export function spectralDistance(b) {
  const n = b.diagonal.length
  let largest = 0
  for (let j = 1; j < 4 * n; j++) {
    let [low, high] = [0, 2]
    const wanted = j / (4 * n)
    for (let k = 0; k < 40; k++) {
      const middle = (low + high) / 2
      if (quarterCircle(middle) < wanted) low = middle
      else high = middle
    }
    largest = Math.max(largest, Math.abs(countBelow(b, low * Math.sqrt(n)) - n * wanted))
  }
  return largest
}

/** P(n s_min^2 <= x) for real square matrices, in the limit (Edelman 1988): 1 - exp(-(x / 2 + sqrt(x))). */
export const smallestBelow = (x) => -Math.expm1(-(x / 2 + Math.sqrt(x)))

/**
 * z of the sums over s of T_2k(s / (2 sqrt(n))), k = 1 ... count: the linear eigenvalue statistics of A A^T / n in
 * Chebyshev's basis, from which its traces can be combined. In the limit they are independent normals with variance k / 2
 * and mean -n/2 for k = 1, 1/2 for even k, else 0 (Bai and Silverstein 2004, real case, ratio 1; for k = 1 and 2 these means
 * are exact for every n).
 */
export function chebyshevZ(values, count) {
  const n = values.length
  return Array.from({ length: count }, (_, i) => {
    const k = i + 1
    let sum = 0
    for (const s of values) sum += Math.cos(2 * k * Math.acos(Math.min(1, s / (2 * Math.sqrt(n)))))
    return (sum - (k === 1 ? -n / 2 : k % 2 === 0 ? 0.5 : 0)) / Math.sqrt(k / 2)
  })
}
