import { axisX, axisY, dot, frame, line, link, plot, rect, ruleY } from '@observablehq/plot'
import type { ReportHistogram, ReportParameter } from '../src/report/types.js'
import type { SignalLayer, SignalReport } from '../src/signal/types.js'
import { digits, numberOf } from './dom.js'
import { asImage } from './image.js'

type Chart = SVGSVGElement | HTMLElement

const style = { background: 'none', color: 'var(--ink)', fontSize: '10px', fontFamily: 'inherit' }
const short = (value: number): string => digits(value, 2)

/** The bins with both ends. The open outer bins end at the smallest and the largest measured value. */
function binsOf({ edges, counts, probabilities }: ReportHistogram, { measured }: ReportParameter) {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const low = Math.min(numberOf(measured.min), edges[0] ?? 0)
  const high = Math.max(numberOf(measured.max), edges.at(-1) ?? 0)
  const ends = [low, ...edges, high]
  return counts.map((count, bin) => {
    const [from, to] = [ends[bin]!, ends[bin + 1]!]
    const width = to - from || Number.MIN_VALUE
    return { from, to, density: count / total / width, expected: probabilities[bin]! / width }
  })
}

/** The measured density in each bin, and that of the distribution. */
export function histogramPlot(parameter: ReportParameter, histogram: ReportHistogram): Chart {
  const bins = binsOf(histogram, parameter).filter(({ from, to }) => to > from)
  const steps = bins.flatMap(({ from, to, expected }) => [
    { x: from, y: expected },
    { x: to, y: expected },
  ])
  const chart = plot({
    ariaLabel: `Histogram of ${parameter.name}`,
    ariaDescription: 'Bars: the measured density. Line: the density of the distribution.',
    width: 240,
    height: 140,
    marginLeft: 8,
    marginRight: 8,
    marginTop: 6,
    marginBottom: 22,
    style,
    x: { ticks: 3, tickFormat: short, label: null },
    y: { axis: null, zero: true },
    marks: [
      rect(bins, {
        x1: 'from',
        x2: 'to',
        y1: 0,
        y2: 'density',
        fill: 'var(--measured-soft)',
        stroke: 'var(--measured)',
        strokeWidth: 0.4,
      }),
      line(steps, { x: 'x', y: 'y', stroke: 'var(--expected)', strokeWidth: 1.6, curve: 'linear' }),
      ruleY([0], { stroke: 'var(--line)' }),
    ],
  })
  return asImage(chart)
}

/** Quantiles of the distribution against the measured ones, at the edges of the bins. They are equal on the line. */
export function quantilePlot(parameter: ReportParameter, { edges, counts, probabilities }: ReportHistogram): Chart {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const ends = [numberOf(parameter.measured.min), ...edges, numberOf(parameter.measured.max)]
  /** The measured quantile of a probability, if the elements are evenly spread within each bin. */
  const measuredAt = (wanted: number): number => {
    let below = 0
    for (const [bin, count] of counts.entries()) {
      const share = count / total
      if (below + share >= wanted && share > 0) {
        const [from, to] = [ends[bin]!, ends[bin + 1]!]
        return from + ((wanted - below) / share) * (to - from)
      }
      below += share
    }
    return ends.at(-1)!
  }
  let sum = 0
  const points = edges.map((edge, bin) => {
    sum += probabilities[bin]!
    return { expected: edge, measured: measuredAt(sum) }
  })
  const all = points.flatMap(({ expected, measured }) => [expected, measured])
  const range = [Math.min(...all), Math.max(...all)]
  const chart = plot({
    ariaLabel: `Quantiles of ${parameter.name}`,
    ariaDescription: 'Measured quantiles over those of the distribution. On the line they are equal.',
    width: 178,
    height: 140,
    marginLeft: 36,
    marginRight: 8,
    marginTop: 6,
    marginBottom: 22,
    style,
    x: { domain: range, ticks: 3, tickFormat: short, label: null },
    y: { domain: range, ticks: 4, tickFormat: short, label: null },
    marks: [
      frame({ stroke: 'var(--line)' }),
      link([0], {
        x1: () => range[0]!,
        y1: () => range[0]!,
        x2: () => range[1]!,
        y2: () => range[1]!,
        stroke: 'var(--expected)',
        strokeWidth: 1.2,
      }),
      dot(points, { x: 'expected', y: 'measured', r: 1.6, fill: 'var(--measured)' }),
    ],
  })
  return asImage(chart)
}

/** log10 of the mean squares by layer. */
export function depthPlot({ layers }: SignalReport): Chart {
  const of = (what: 'activations' | 'gradients') =>
    layers.map((layer: SignalLayer, depth) => ({
      what,
      depth,
      name: layer.name,
      kind: layer.kind,
      measured: layer.measured,
      value: numberOf(layer[what].log10MeanSquare),
    }))
  const all = [...of('activations'), ...of('gradients')].filter(({ value }) => Number.isFinite(value))
  const measured = all.filter((point) => point.measured)
  const colour = (what: string): string => (what === 'activations' ? 'var(--measured)' : 'var(--expected)')
  const values = all.map(({ value }) => value)
  const spread = Math.max(0.5, Math.max(...values) - Math.min(...values))
  const chart = plot({
    ariaLabel: 'Signal over depth',
    ariaDescription: 'log10 of the mean square of activations and of gradients, layer by layer.',
    width: 960,
    height: 320,
    marginLeft: 48,
    marginRight: 16,
    marginBottom: 40,
    style: { ...style, fontSize: '12px' },
    x: { domain: [0, Math.max(1, layers.length - 1)], label: 'layer, in the order of the forward pass' },
    y: {
      label: 'log10 of the mean square',
      nice: true,
      domain: [Math.min(...values) - 0.05 * spread, Math.max(...values) + 0.05 * spread],
      grid: true,
    },
    marks: [
      axisX({
        ticks: Math.min(10, layers.length),
        tickFormat: (depth: number) => (Number.isInteger(depth) ? layers[depth]?.name || String(depth) : ''),
      }),
      axisY({ ticks: 6 }),
      ruleY([0], { stroke: 'var(--muted)', strokeDasharray: '3 3' }),
      ...(['activations', 'gradients'] as const).flatMap((what) => {
        const own = all.filter((point) => point.what === what)
        return [
          line(own, { x: 'depth', y: 'value', stroke: colour(what), strokeWidth: 1, strokeOpacity: 0.55 }),
          dot(
            measured.filter((point) => point.what === what),
            {
              x: 'depth',
              y: 'value',
              fill: colour(what),
              r: layers.length > 60 ? 2.2 : 3,
              title: ({ name, kind, value }: (typeof all)[number]) =>
                `${name} (${kind})\n${what}: 10^${value.toFixed(2)}`,
            },
          ),
        ]
      }),
    ],
  })
  return asImage(chart)
}
