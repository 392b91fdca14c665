// The script of the report page. It draws the data that src/report/html.ts stored in the page. Names become text, never markup.
import { type ReportCheck, type ReportData, type ReportParameter, reportPasses } from '../src/report/types.js'
import type { SignalReport, SignalTrend } from '../src/signal/types.js'
import { badge, digits, element, numberOf, table } from './dom.js'
import { depthPlot, histogramPlot, quantilePlot } from './plots.js'

const isRandom = (parameter: ReportParameter): boolean => parameter.histogram !== undefined
const failures = ({ checks }: ReportParameter): ReportCheck[] => checks.filter(({ ok }) => !ok)
const severity = ({ checks }: ReportParameter): number =>
  Math.max(0, ...checks.map((check) => numberOf(check.severity)))
const whole = (count: number): string => count.toLocaleString('en')
const shapeText = (shape: readonly number[]): string => shape.join(' × ') || 'scalar'

function checkTable(caption: string, checks: readonly ReportCheck[]): HTMLElement {
  const rows = checks.map(({ name, ok, value, limit }) => ({
    cells: [name, value, limit, badge(ok, ok ? 'passed' : 'FAILED')],
    bad: !ok,
  }))
  return table(caption, ['check', 'measured', 'allowed', 'result'], rows)
}

function summary(data: ReportData): HTMLElement[] {
  const ok = reportPasses(data)
  const failed = data.parameters.filter((parameter) => failures(parameter).length > 0).length
  const count = data.parameters.length
  const facts = data.facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)))
  return [
    element('h1', {}, data.title, ' ', badge(ok, ok ? 'passed' : 'FAILED')),
    element(
      'p',
      {},
      failed === 0 ? `All ${whole(count)} parameters pass.` : `${whole(failed)} of ${whole(count)} parameters fail.`,
    ),
    element('dl', { class: 'facts' }, ...facts),
    ...(data.checks.length === 0
      ? []
      : [element('h2', {}, 'The model as a whole'), checkTable('Checks of the model', data.checks)]),
  ]
}

const trendText = ({ from, to, log10Ratio, perStep }: SignalTrend): string =>
  `mean square × 10^${numberOf(log10Ratio).toFixed(2)} from ${from} to ${to} (× ${digits(perStep, 3)} a step)`

function signalSection(signal: SignalReport | undefined, note: string): HTMLElement[] {
  const title = element('h2', {}, 'Signal propagation')
  if (signal === undefined) return [title, element('p', { class: 'muted' }, note)]
  const trendLine = (what: string, trend: SignalTrend): HTMLElement =>
    element('span', {}, `${what}: `, badge(trend.verdict === 'healthy', trend.verdict), ` ${trendText(trend)}`)
  const rows = signal.layers.map(({ name, kind, shape, activations, gradients, deadUnitShare, verdict }) => ({
    cells: [
      name,
      kind,
      shapeText(shape),
      digits(activations.variance),
      numberOf(activations.log10MeanSquare).toFixed(2),
      digits(gradients.variance),
      numberOf(gradients.log10MeanSquare).toFixed(2),
      `${(100 * deadUnitShare).toFixed(0)} %`,
      verdict === undefined ? '' : badge(verdict === 'healthy', verdict),
    ],
    bad: activations.nonFiniteCount + gradients.nonFiniteCount > 0,
  }))
  const gains = signal.gains.map(({ activation, layerCount, gain, centredGain, factor, gradientFactor }) => ({
    cells: [
      activation,
      whole(layerCount),
      digits(gain),
      digits(centredGain),
      digits(factor),
      Number.isNaN(numberOf(gradientFactor)) ? '' : digits(gradientFactor),
    ],
  }))
  return [
    title,
    element(
      'p',
      { class: 'muted' },
      `${note} Batch of ${whole(signal.batch)}, seed ${signal.seed}. Healthy: within 1/${digits(signal.healthyFactor)} and ${digits(signal.healthyFactor)}.`,
    ),
    element(
      'p',
      { class: 'verdicts' },
      trendLine('activations', signal.forward),
      trendLine('gradients', signal.backward),
    ),
    ...signal.advice.map((line) => element('p', {}, line)),
    element(
      'div',
      { class: 'depth' },
      element(
        'p',
        { class: 'legend' },
        element('span', {}, element('i', { class: 'line', style: '--key: var(--measured)' }), 'activations'),
        element('span', {}, element('i', { class: 'line', style: '--key: var(--expected)' }), 'gradients'),
        element('span', {}, 'dots: weight layers and residual sums, which determine the verdict'),
      ),
      element('figure', { id: 'depth-plot' }, depthPlot(signal)),
    ),
    element('h3', {}, 'Gains of the weights, by what feeds them'),
    table(
      'Gains',
      ['after', '#layers', '#gain measured', '#gain that centres', '#multiply std by', '#for gradients'],
      gains,
    ),
    element(
      'details',
      {},
      element('summary', {}, `All ${signal.layers.length} layers`),
      table(
        'Layers',
        [
          'layer',
          'kind',
          'shape',
          '#variance',
          '#log10 mean square',
          '#gradient variance',
          '#log10 mean square',
          '#dead units',
          'verdict',
        ],
        rows,
      ),
    ),
  ]
}

/** Draws the plots of a card when it comes near the window, because a model has hundreds of cards. */
const drawn = new WeakSet<Element>()
const draws = new WeakMap<Element, () => void>()
const draw = (card: Element): void => {
  if (drawn.has(card)) return
  drawn.add(card)
  draws.get(card)?.()
}
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) draw(target)
  },
  { rootMargin: '400px' },
)

function card(parameter: ReportParameter): HTMLElement {
  const failed = failures(parameter)
  const { name, shape, dtype, distribution, because, elementCount, expected, measured, histogram, more, checks } =
    parameter
  const worst = checks.reduce<ReportCheck | undefined>(
    (a, b) => (a === undefined || numberOf(b.severity) > numberOf(a.severity) ? b : a),
    undefined,
  )
  const plots = element('div', { class: 'plots' })
  const made = element(
    'article',
    { class: failed.length > 0 ? 'card bad' : 'card', 'data-name': name },
    element(
      'header',
      {},
      element('h3', {}, name),
      badge(failed.length === 0, failed.length === 0 ? 'passed' : 'FAILED'),
    ),
    element('p', { class: 'muted' }, `${shapeText(shape)} ${dtype}, ${whole(elementCount)} elements`),
    element('p', {}, distribution, element('span', { class: 'muted' }, ` (${because})`)),
    element(
      'p',
      {},
      `mean ${digits(measured.mean)} (${digits(expected.mean)}), std ${digits(measured.std, 5)} (${digits(expected.std, 5)})`,
    ),
    failed.length > 0
      ? element(
          'ul',
          { class: 'failed' },
          ...failed.map((check) => element('li', {}, `${check.name}: ${check.value}, allowed ${check.limit}`)),
        )
      : worst === undefined || numberOf(worst.severity) === 0
        ? undefined
        : element('p', { class: 'muted' }, `nearest its limit: ${worst.name}, ${worst.value} (${worst.limit})`),
    histogram === undefined ? undefined : plots,
    element(
      'details',
      {},
      element('summary', {}, 'All numbers'),
      table(
        `Checks of ${name}`,
        ['check', 'measured', 'allowed', 'result'],
        checks.map((check) => ({
          cells: [check.name, check.value, check.limit, badge(check.ok, check.ok ? 'passed' : 'FAILED')],
          bad: !check.ok,
        })),
      ),
      table(
        `Measured of ${name}`,
        ['measured', '#value'],
        [['least', digits(measured.min)] as const, ['largest', digits(measured.max)] as const, ...more].map(
          ([key, value]) => ({ cells: [key, value] }),
        ),
      ),
    ),
  )
  if (histogram !== undefined) {
    draws.set(made, () =>
      plots.replaceChildren(
        element('figure', {}, histogramPlot(parameter, histogram)),
        element('figure', {}, quantilePlot(parameter, histogram)),
      ),
    )
    watcher.observe(made)
  }
  return made
}

const orders: Readonly<Record<string, (a: ReportParameter, b: ReportParameter) => number>> = {
  'worst first': (a, b) => severity(b) - severity(a),
  'as in the model': () => 0,
  'by name': (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  'largest first': (a, b) => b.elementCount - a.elementCount,
}
const filters: Readonly<Record<string, (parameter: ReportParameter) => boolean>> = {
  'random values': isRandom,
  'all parameters': () => true,
  'failed ones': (parameter) => failures(parameter).length > 0,
}

function parameterSection(parameters: readonly ReportParameter[]): HTMLElement[] {
  const cards = new Map(parameters.map((parameter) => [parameter, card(parameter)]))
  const list = element('div', { class: 'cards' })
  const count = element('p', { class: 'muted', role: 'status' })
  const search = element('input', { type: 'search', placeholder: 'part of a name' }) as HTMLInputElement
  const choice = (options: readonly string[]): HTMLSelectElement =>
    element('select', {}, ...options.map((text) => element('option', {}, text))) as HTMLSelectElement
  const show = choice(Object.keys(filters))
  const order = choice(Object.keys(orders))
  if (!parameters.some(isRandom)) show.value = 'all parameters'
  const update = (): void => {
    const wanted = search.value.trim().toLowerCase()
    const chosen = parameters
      .filter(
        (parameter) =>
          filters[show.value]!(parameter) || (show.value === 'random values' && failures(parameter).length > 0),
      )
      .filter(({ name }) => name.toLowerCase().includes(wanted))
      .sort(orders[order.value])
    list.replaceChildren(...chosen.map((parameter) => cards.get(parameter)!))
    count.textContent = `${whole(chosen.length)} of ${whole(parameters.length)} parameters`
  }
  search.addEventListener('input', update)
  show.addEventListener('change', update)
  order.addEventListener('change', update)
  update()
  const drawAll = (): void => {
    for (const made of list.children) draw(made)
  }
  window.addEventListener('beforeprint', drawAll)
  const media = matchMedia('print')
  media.addEventListener('change', ({ matches }) => matches && drawAll())
  const label = (text: string, control: HTMLElement): HTMLElement => element('label', {}, text, control)
  const rows = parameters.map((parameter) => {
    const failed = failures(parameter).length > 0
    const { name, shape, distribution, expected, measured } = parameter
    return {
      cells: [
        name,
        shapeText(shape),
        distribution,
        digits(expected.std, 5),
        digits(measured.std, 5),
        digits(measured.mean),
        digits(measured.min),
        digits(measured.max),
        badge(!failed, failed ? 'FAILED' : 'passed'),
      ],
      bad: failed,
    }
  })
  return [
    element('h2', {}, 'Parameters'),
    element(
      'p',
      { class: 'legend' },
      element('span', {}, element('i', { style: '--key: var(--measured-soft)' }), 'measured'),
      element(
        'span',
        {},
        element('i', { class: 'line', style: '--key: var(--expected)' }),
        'the density of the distribution',
      ),
      element('span', {}, 'left: density over value; right: measured quantiles over those of the distribution'),
    ),
    element('div', { class: 'controls' }, label('Search', search), label('Show', show), label('Order', order)),
    count,
    list,
    element('h2', {}, 'All parameters in one table'),
    table(
      'All parameters',
      ['parameter', 'shape', 'distribution', '#std expected', '#std measured', '#mean', '#least', '#largest', 'result'],
      rows,
    ),
  ]
}

const data = JSON.parse(document.getElementById('report-data')!.textContent!) as ReportData
document
  .getElementById('report')!
  .replaceChildren(
    ...summary(data),
    ...signalSection(data.signal, data.signalNote),
    ...parameterSection(data.parameters),
    element('p', { class: 'muted' }, `Made by ${data.madeBy}. This page loads nothing from a network.`),
  )
