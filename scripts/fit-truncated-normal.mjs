// Derives the float32 coefficients of shaders/random/inverse_normal.wgsl. Run: node scripts/fit-truncated-normal.mjs
// The method is that of fit-polynomials.mjs. The inverse is not computed: z runs over a grid, and q and w follow from z.
import { fitFloat32, printCoefficients } from './fit-polynomials.mjs'

/** The upper tail of the standard normal in float64, with a relative error of about 1e-15. */
function tail(z) {
  const x = z / Math.SQRT2
  if (x < 2) {
    let term = x
    let sum = x
    for (let n = 1; n < 200; n++) {
      term *= -(x * x) / n
      sum += term / (2 * n + 1)
    }
    return 0.5 - sum / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let n = 300; n > 0; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / (x + fraction) / Math.sqrt(Math.PI) / 2
}

/** W = -2 ln(4 q (1 - q)) as a function of z. Near 0 it is computed from 1 - 4 (1/2 - q)^2, without cancellation. */
const W = (z) => {
  const q = tail(z)
  const x = 1 - 2 * q
  return z < 1 ? -2 * Math.log1p(-x * x) : -2 * Math.log(4 * q * (1 - q))
}

/** The z with W(z) = w, by bisection. */
function inverse(w) {
  let low = 0
  let high = 14
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (W(middle) < w) low = middle
    else high = middle
  }
  return (low + high) / 2
}

const SPLIT = 10
const problems = {
  // z = (1 - 2 q) CENTRE(W - 5), 0 <= W <= 10
  CENTRE: {
    lo: -5,
    hi: SPLIT - 5,
    degree: 8,
    target: (t) => {
      const w = t + 5
      if (w < 1e-9) return Math.sqrt(Math.PI / 2)
      const z = inverse(w)
      return z / (1 - 2 * tail(z))
    },
    relative: true,
  },
  // z = TAIL(sqrt(W) - 5), 10 <= W <= 46: every q down to slightly less than 2^-33
  TAIL: {
    lo: Math.sqrt(SPLIT) - 5,
    hi: Math.sqrt(46) - 5,
    degree: 7,
    target: (t) => inverse((t + 5) ** 2),
    relative: true,
  },
  // z = FAR(sqrt(W) - 9), 46 <= W <= 128: for bounds that leave only a far tail
  FAR: {
    lo: Math.sqrt(46) - 9,
    hi: Math.sqrt(128) - 9,
    degree: 5,
    target: (t) => inverse((t + 9) ** 2),
    relative: true,
  },
}
for (const [name, problem] of Object.entries(problems)) {
  const memo = new Map()
  const { target } = problem
  problem.target = (x) => {
    if (!memo.has(x)) memo.set(x, target(x))
    return memo.get(x)
  }
  problem.weight = (x) => 1 / problem.target(x)
  printCoefficients(name, fitFloat32(problem))
}
