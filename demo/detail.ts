import type { Remote } from 'comlink'
import { describeDistribution } from '../src/distributions/registry.js'
import type { ParameterStatistics, ParameterVerification, PlannedParameter } from '../src/index.js'
import { parityCell } from '../src/report/parity.js'
import type { Engine } from './engine.worker.ts'
import { integer, significant } from './format.ts'
import { histogramPlot } from './plots.ts'

const element = (id: string): HTMLElement => document.getElementById(id)!
const rows = ['count', 'mean', 'std', 'min', 'max', 'skewness', 'kurtosis', 'zeroCount', 'nonFiniteCount'] as const
const labels: Readonly<Record<(typeof rows)[number], string>> = {
  count: 'finite elements',
  mean: 'mean',
  std: 'std',
  min: 'min',
  max: 'max',
  skewness: 'skewness',
  kurtosis: 'kurtosis',
  zeroCount: 'zeros',
  nonFiniteCount: 'NaN or infinite',
}

/** One parameter in detail: its histogram with the distribution's density, and the statistics of the device and of the CPU. */
export class Detail {
  readonly #engine: Remote<Engine>
  #shown = ''

  constructor(engine: Remote<Engine>) {
    this.#engine = engine
  }

  hide(): void {
    this.#shown = ''
    element('detail').hidden = true
  }

  async show(
    parameter: PlannedParameter,
    measured: ParameterStatistics,
    parity: ParameterVerification | undefined,
  ): Promise<void> {
    const { name, dtype, distribution, elementCount } = parameter
    this.#shown = name
    element('detail').hidden = false
    element('detail-title').textContent = `${name}: ${describeDistribution(distribution)}, ${dtype}`
    element('detail-parity').textContent =
      parity === undefined || (parity.comparedCount === 0 && parity.withinBound === undefined)
        ? ''
        : `Compared: ${parityCell(parity)}.`
    this.#moments(measured, undefined)
    const plot = histogramPlot(distribution, measured)
    element('histogram').replaceChildren(...(plot === undefined ? [] : [plot]))
    element('histogram-caption').textContent =
      plot === undefined
        ? 'There is no plot, because this distribution has no density.'
        : `Density of ${integer(elementCount)} elements in ${measured.histogram!.counts.length} bins of equal probability, and of the distribution (line).`
    const onCpu = await this.#engine.statisticsOnCpu(name)
    if (this.#shown === name) this.#moments(measured, onCpu)
  }

  #moments(device: ParameterStatistics, cpu: ParameterStatistics | undefined): void {
    const { expected } = device
    const body = (element('moments') as HTMLTableElement).tBodies[0]!
    body.replaceChildren(
      ...rows.map((key) => {
        const row = document.createElement('tr')
        const head = document.createElement('th')
        head.scope = 'row'
        head.textContent = labels[key]
        row.append(head)
        const text = key === 'count' || key.endsWith('Count') ? integer : significant
        const promised = key === 'mean' || key === 'std' || key === 'min' || key === 'max' ? expected[key] : undefined
        for (const value of [device[key], cpu?.[key], promised]) {
          const cell = row.insertCell()
          cell.className = 'number'
          cell.textContent =
            value === undefined || Number.isNaN(value)
              ? ''
              : Number.isFinite(value)
                ? text(value)
                : value > 0
                  ? '∞'
                  : '−∞'
        }
        return row
      }),
    )
  }
}
