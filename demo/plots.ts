import * as Plot from '@observablehq/plot'
import type { Distribution } from '../src/index.js'
import { densityOf } from './density.ts'
import type { ParameterStatistics } from './engine.worker.ts'

const style = { background: 'none', color: 'inherit', fontSize: '12px', overflow: 'visible' }
const POINTS = 400

/** Measured density over bins of equal probability, and the law's own as a line; undefined for a law without a density. */
export function histogramPlot(law: Distribution, { histogram, count, min, max }: ParameterStatistics) {
  const density = densityOf(law)
  if (density === undefined || histogram === undefined || count === 0) return undefined
  const { edges, counts } = histogram
  // The outer bins of a normal law are infinite: they end where the elements do.
  const bars = counts.flatMap((n, i) => {
    const [left, right] = [Math.max(edges[i]!, min), Math.min(edges[i + 1]!, max)]
    return right > left ? [{ left, right, height: n / count / (right - left) }] : []
  })
  const step = (max - min) / POINTS
  const line = Array.from({ length: POINTS + 1 }, (_, i) => ({ x: min + i * step, y: density(min + i * step) }))
  return Plot.plot({
    style,
    width: 640,
    height: 300,
    marginLeft: 50,
    x: { label: 'value', nice: true },
    y: { label: 'density', grid: true },
    ariaLabel: 'Histogram of the elements over the density of the law',
    marks: [
      Plot.rect(bars, {
        x1: 'left',
        x2: 'right',
        y1: 0,
        y2: 'height',
        fill: 'var(--accent)',
        fillOpacity: 0.35,
        inset: 0,
      }),
      Plot.line(line, { x: 'x', y: 'y', stroke: 'var(--text)', strokeWidth: 1.5 }),
      Plot.ruleY([0]),
    ],
  })
}

export interface Curve {
  readonly initializer: string
  /** By layer, log10 of the variance. */
  readonly values: readonly number[]
}

/** Variance by layer, one line an initializer, on a logarithmic axis: in powers of ten, which float64 cannot overflow. */
export function depthPlot(curves: readonly Curve[], label: string) {
  const points = curves.flatMap(({ initializer, values }) =>
    values.map((value, layer) => ({ initializer, layer, value })).filter(({ value }) => Number.isFinite(value)),
  )
  return Plot.plot({
    style,
    width: 560,
    height: 280,
    marginLeft: 50,
    x: { label: 'layer', nice: true },
    y: { label: `log₁₀ ${label}`, grid: true, nice: true },
    color: {
      legend: true,
      domain: curves.map((c) => c.initializer),
      range: ['var(--bad)', 'var(--accent)', 'var(--good)'],
    },
    ariaLabel: `${label} by layer`,
    marks: [
      Plot.ruleY([0], { strokeDasharray: '3 3', strokeOpacity: 0.6 }),
      Plot.line(points, { x: 'layer', y: 'value', stroke: 'initializer', strokeWidth: 2 }),
      Plot.dot(points, { x: 'layer', y: 'value', fill: 'initializer', r: 2, tip: true }),
    ],
  })
}
