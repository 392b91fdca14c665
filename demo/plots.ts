import * as Plot from '@observablehq/plot'
import { asImage } from '../report/image.ts'
import type { Distribution, ParameterStatistics } from '../src/index.js'
import { densityOf } from './density.ts'

const style = { background: 'none', color: 'inherit', fontSize: '12px', overflow: 'visible' }
const POINTS = 400

/** The measured density in bins of equal probability, and the distribution's as a line. Undefined if it has no density. */
export function histogramPlot(distribution: Distribution, { histogram, count, min, max }: ParameterStatistics) {
  const density = densityOf(distribution)
  if (density === undefined || histogram === undefined || count === 0) return undefined
  const { edges, counts } = histogram
  const total = counts.reduce((sum, n) => sum + n, 0)
  // The outer bins are open. They are drawn up to the smallest and the largest element.
  const bars = counts.flatMap((n, i) => {
    const [left, right] = [edges[i - 1] ?? min, edges[i] ?? max]
    return right > left ? [{ left, right, height: n / total / (right - left) }] : []
  })
  const step = (max - min) / POINTS
  const line = Array.from({ length: POINTS + 1 }, (_, i) => ({ x: min + i * step, y: density(min + i * step) }))
  const chart = Plot.plot({
    style,
    width: 640,
    height: 300,
    marginLeft: 50,
    x: { label: 'value', nice: true },
    y: { label: 'density', grid: true },
    ariaLabel: 'Histogram of the elements over the density of the distribution',
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
  return asImage(chart)
}

export interface Curve {
  readonly initializer: string
  /** log10 by layer, because some of the values themselves are outside the range of float64. */
  readonly values: readonly number[]
}

/** One line per initializer, over the layers. A signal that keeps its strength stays at 0. */
export function depthPlot(curves: readonly Curve[]) {
  const points = curves.flatMap(({ initializer, values }) =>
    values.map((value, layer) => ({ initializer, layer, value })).filter(({ value }) => Number.isFinite(value)),
  )
  const chart = Plot.plot({
    style,
    width: 560,
    height: 260,
    marginLeft: 45,
    x: { label: 'layer', nice: true },
    y: { label: null, grid: true, nice: true },
    color: {
      legend: true,
      domain: curves.map(({ initializer }) => initializer),
      range: ['var(--bad)', 'var(--accent)'],
    },
    ariaLabel: 'Signal by layer',
    marks: [
      Plot.ruleY([0], { strokeDasharray: '3 3', strokeOpacity: 0.6 }),
      Plot.line(points, { x: 'layer', y: 'value', stroke: 'initializer', strokeWidth: 2 }),
      Plot.dot(points, { x: 'layer', y: 'value', fill: 'initializer', r: 2, tip: true }),
    ],
  })
  return asImage(chart)
}
