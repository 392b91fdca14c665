// Derives the float32 coefficients of shaders/random/normal.wgsl. Run: node scripts/fit-polynomials.mjs
//
// Method: weighted least squares on a Chebyshev grid, reweighted (Lawson) until all maxima of the error are equal. Then each
// coefficient is rounded to float32, from the lowest order up, and the others are fitted again in float64.

import { fileURLToPath } from 'node:url'

const f32 = Math.fround

/** Least squares by Householder QR: columns A[j][i], right side b[i]. */
function leastSquares(A, b) {
  const n = A.length
  const m = b.length
  const columns = A.map((column) => Float64Array.from(column))
  const rhs = Float64Array.from(b)
  for (let k = 0; k < n; k++) {
    let norm = 0
    for (let i = k; i < m; i++) norm += columns[k][i] ** 2
    norm = Math.sqrt(norm)
    const alpha = columns[k][k] > 0 ? -norm : norm
    const v = columns[k].slice()
    for (let i = 0; i < k; i++) v[i] = 0
    v[k] -= alpha
    let vv = 0
    for (let i = k; i < m; i++) vv += v[i] ** 2
    if (vv === 0) continue
    for (const target of [...columns.slice(k), rhs]) {
      let dot = 0
      for (let i = k; i < m; i++) dot += v[i] * target[i]
      const scale = (2 * dot) / vv
      for (let i = k; i < m; i++) target[i] -= scale * v[i]
    }
  }
  const x = new Float64Array(n)
  for (let k = n - 1; k >= 0; k--) {
    let sum = rhs[k]
    for (let j = k + 1; j < n; j++) sum -= columns[j][k] * x[j]
    x[k] = sum / columns[k][k]
  }
  return x
}

/** Minimises max |weight(x) * (sum c_j x^j - target(x))| over [lo, hi]; `fixed[j]` pins coefficient j. */
function minimax({ lo, hi, degree, target, weight, fixed = [] }) {
  const count = 1200
  const xs = Array.from(
    { length: count },
    (_, i) => (lo + hi) / 2 - ((hi - lo) / 2) * Math.cos((Math.PI * (i + 0.5)) / count),
  )
  const free = Array.from({ length: degree + 1 }, (_, j) => j).filter((j) => fixed[j] === undefined)
  let lawson = new Float64Array(count).fill(1 / count)
  let best
  for (let iteration = 0; iteration < 400; iteration++) {
    const w = xs.map((x, i) => Math.sqrt(lawson[i]) * weight(x))
    const known = xs.map((x) => fixed.reduce((sum, c, j) => (c === undefined ? sum : sum + c * x ** j), 0))
    // The columns are scaled, so that the system is well conditioned even for powers of a small x.
    const unit = Math.max(Math.abs(lo), Math.abs(hi))
    const A = free.map((j) => xs.map((x, i) => w[i] * (x / unit) ** j))
    const solution = leastSquares(
      A,
      xs.map((x, i) => w[i] * (target(x) - known[i])),
    )
    const c = []
    for (let j = 0; j <= degree; j++) c[j] = fixed[j] ?? solution[free.indexOf(j)] / unit ** j
    const errors = xs.map((x) => Math.abs(weight(x) * (c.reduceRight((p, a) => p * x + a, 0) - target(x))))
    const worst = Math.max(...errors)
    if (!best || worst < best.worst) best = { c, worst }
    const next = lawson.map((l, i) => l * errors[i])
    const total = next.reduce((a, b) => a + b)
    lawson = next.map((l) => l / total)
  }
  return best
}

function worstError({ lo, hi, target, weight }, c) {
  let worst = 0
  for (let i = 0; i <= 4000; i++) {
    const x = lo + ((hi - lo) * i) / 4000
    worst = Math.max(worst, Math.abs(weight(x) * (c.reduceRight((p, a) => p * x + a, 0) - target(x))))
  }
  return worst
}

export function fitFloat32(problem) {
  const fixed = [...(problem.fixed ?? [])]
  const ideal = minimax(problem).worst
  for (let j = 0; j <= problem.degree; j++) {
    if (fixed[j] !== undefined) continue
    const { c } = minimax({ ...problem, fixed })
    fixed[j] = f32(c[j])
  }
  const worst = worstError(problem, fixed)
  return { coefficients: fixed, worst, ideal }
}

const hex = (x) => {
  const bits = new Uint32Array(new Float32Array([x]).buffer)[0]
  return `0x${bits.toString(16).padStart(8, '0')}`
}

const problems = {
  // -2 log1p(-g) = g P(g), 0 <= g <= 1/2: every term is positive, so the relative error is also that of -2 ln u.
  LOG: {
    lo: 0,
    hi: 0.5,
    degree: 7,
    target: (g) => (g < 1e-12 ? 2 : (-2 * Math.log1p(-g)) / g),
    weight: (g) => (g < 1e-12 ? 0.5 : g / (-2 * Math.log1p(-g))),
  },
  // (1 - e)^(-1/2) = 1 + e R(e), |e| <= 0.07: the correction of the initial value from the bit pattern
  ROOT: {
    lo: -0.0697,
    hi: 0.0674,
    degree: 3,
    target: (e) => (Math.abs(e) < 1e-6 ? 0.5 + 0.375 * e : ((1 - e) ** -0.5 - 1) / e),
    weight: (e) => Math.abs(e),
  },
  // sin(2 pi t) = t S(t^2), |t| <= 1/8
  SIN: {
    lo: 0,
    hi: 1 / 64,
    degree: 3,
    target: (z) => (z < 1e-14 ? 2 * Math.PI : Math.sin(2 * Math.PI * Math.sqrt(z)) / Math.sqrt(z)),
    weight: (z) => (z < 1e-14 ? 1 / (2 * Math.PI) : Math.sqrt(z) / Math.sin(2 * Math.PI * Math.sqrt(z))),
  },
  // cos(2 pi t) = C(t^2), |t| <= 1/8, C(0) = 1
  COS: {
    lo: 0,
    hi: 1 / 64,
    degree: 3,
    fixed: [1],
    target: (z) => Math.cos(2 * Math.PI * Math.sqrt(z)),
    weight: (z) => 1 / Math.cos(2 * Math.PI * Math.sqrt(z)),
  },
}

export function printCoefficients(name, { coefficients, worst, ideal }) {
  console.log(
    `${name}: max relative error ${worst.toExponential(2)} with float32 coefficients (${ideal.toExponential(2)} in float64)`,
  )
  for (const [j, c] of coefficients.entries()) console.log(`  ${name}_${j} = ${c}  ${hex(c)}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, problem] of Object.entries(problems)) printCoefficients(name, fitFloat32(problem))
}
