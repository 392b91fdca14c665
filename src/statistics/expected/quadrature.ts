/** Points and weights that stand for a distribution: sums over them are expectations. */
export interface Nodes {
  readonly points: Float64Array
  /** Sum to 1. */
  readonly weights: Float64Array
}

/** Gauss-Legendre points and weights on [-1, 1], by Newton on the Legendre polynomial. */
function gaussLegendre(n: number): { x: number; w: number }[] {
  return Array.from({ length: n }, (_, i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let slope = 1
    for (let step = 0; step < 20; step++) {
      let [p, before] = [1, 0]
      for (let k = 1; k <= n; k++) [p, before] = [((2 * k - 1) * x * p - (k - 1) * before) / k, p]
      slope = (n * (x * p - before)) / (x * x - 1)
      const move = p / slope
      x -= move
      if (Math.abs(move) < 1e-15) break
    }
    return { x, w: 2 / ((1 - x * x) * slope * slope) }
  })
}

/** Nodes of a density that is smooth on [low, high]: panels of 16 Gauss-Legendre points. */
export function densityNodes(density: (x: number) => number, low: number, high: number, panels: number): Nodes {
  const rule = gaussLegendre(16)
  const points = new Float64Array(panels * rule.length)
  const weights = new Float64Array(points.length)
  const half = (high - low) / panels / 2
  let total = 0
  for (let panel = 0; panel < panels; panel++) {
    for (const [i, { x, w }] of rule.entries()) {
      const at = panel * rule.length + i
      points[at] = low + half * (2 * panel + 1 + x)
      weights[at] = w * half * density(points[at]!)
      total += weights[at]!
    }
  }
  return { points, weights: weights.map((w) => w / total) }
}
