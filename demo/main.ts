import { proxy, wrap } from 'comlink'
import type { ParameterStatistics, VerificationReport } from '../src/index.js'
import { type InitializationPlan, planModel } from '../src/index.js'
import { parityCell } from '../src/report/parity.js'
import { Depth } from './depth.ts'
import { Detail } from './detail.ts'
import type { Engine } from './engine.worker.ts'
import { download, pickFile } from './files.ts'
import { bytes, compact, integer, seconds } from './format.ts'
import { type Measured, ParameterTable } from './parameter-table.ts'
import { RequestForm } from './request-form.ts'
import { argumentsOf, type Request, snippetOf } from './snippet.ts'

/** The number of elements that are compared with the CPU directly after a run. A button compares all. */
const SAMPLE = 2 ** 24

const engine = wrap<Engine>(new Worker(new URL('./engine.worker.ts', import.meta.url), { type: 'module' }))
const element = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T
const status = element('status')
const error = element('error')
const progress = element<HTMLProgressElement>('progress')
const cancel = element<HTMLButtonElement>('cancel')
const outputs = [element<HTMLButtonElement>('save'), element<HTMLButtonElement>('manifest')]

const form = new RequestForm(element<HTMLFormElement>('form'), onEdit)
const table = new ParameterTable(element<HTMLTableElement>('table'), element('more'), (name) => void select(name))
const detail = new Detail(engine)
let plan: InitializationPlan | undefined
let statistics: ReadonlyMap<string, ParameterStatistics> = new Map()
let parity: VerificationReport | undefined
/** The number of the current run. Results of an older run are ignored. */
let current = 0

function fail(problem: unknown): void {
  error.textContent = (problem as Error).message
}

/** Every edit shows what would be made, and the code for it. Nothing is computed. */
function onEdit(request: Request): void {
  error.textContent = ''
  try {
    const { model, initializer, config, options } = argumentsOf(request)
    const next = planModel(model, initializer, config, options)
    element('code').textContent = snippetOf(request)
    showPlan(next)
  } catch (problem) {
    showPlan(undefined)
    fail(problem)
  }
}

function showPlan(next: InitializationPlan | undefined): void {
  plan = next
  statistics = new Map()
  parity = undefined
  detail.hide()
  table.mark(undefined)
  table.show(next)
  element('tiles').hidden = true
  for (const button of outputs) button.disabled = true
  const totals = next?.totals
  element('totals').textContent =
    totals === undefined
      ? ''
      : `${integer(totals.parameterCount)} parameter${totals.parameterCount === 1 ? '' : 's'}, ${integer(totals.elementCount)} elements, ${bytes(totals.byteLength)}`
}

function tiles(entries: readonly (readonly [name: string, value: string, tone?: string])[]): void {
  element('tiles').replaceChildren(
    ...entries.map(([name, value, tone]) => {
      const tile = document.createElement('div')
      const term = document.createElement('dt')
      term.textContent = name
      const description = document.createElement('dd')
      description.textContent = value
      if (tone !== undefined) description.className = tone
      tile.append(term, description)
      return tile
    }),
  )
  element('tiles').hidden = false
}

type Report = (done: number, total: number) => void

/** The number of the current step that reports progress. Reports of an older step are ignored. */
let step = 0

/** Runs one step that reports progress. Reports may arrive after the result, because they use another channel. */
async function reporting<T>(what: string, work: (report: Report) => Promise<T>): Promise<T> {
  const own = ++step
  const report = proxy((done: number, total: number) => {
    if (own !== step) return
    progress.value = total === 0 ? 1 : done / total
    status.textContent = `${what}: ${((100 * done) / Math.max(1, total)).toFixed(0)} %`
  })
  try {
    return await work(report)
  } finally {
    if (own === step) step++
  }
}

/** Shows the progress bar while `work` runs. The Cancel button ends it. */
async function busy<T>(work: () => Promise<T>): Promise<T> {
  progress.hidden = false
  progress.value = 0
  cancel.disabled = false
  try {
    return await work()
  } finally {
    progress.hidden = true
    cancel.disabled = true
  }
}

async function run(request: Request): Promise<void> {
  const own = ++current
  onEdit(request)
  if (plan === undefined) return
  status.textContent = 'Initialising'
  await busy(async () => {
    const made = await reporting('Initialising', (report) => engine.initialize(request, report))
    if (own !== current) return
    showPlace(made.place)
    for (const button of outputs) button.disabled = false
    const where = made.place.backend === 'webgpu' ? 'GPU' : 'CPU'
    const summary: [string, string, string?][] = [
      ['Elements', compact(made.elementCount)],
      [`On the ${where}`, bytes(made.byteLength)],
      ['Time', seconds(made.milliseconds)],
      ['Throughput', `${compact((made.elementCount / made.milliseconds) * 1000)}/s`],
    ]
    const title = where === 'GPU' ? 'Bits that differ from the CPU' : "Bits that differ in the CPU's second run"
    tiles([...summary, [title, 'comparing']])
    status.textContent = 'Measuring'
    statistics = new Map((await engine.statistics()).map((row) => [row.name, row]))
    if (own !== current) return
    table.show(plan, measured())
    parity = await reporting('Comparing with the CPU', (report) => engine.verify(SAMPLE, report))
    if (own !== current) return
    table.show(plan, measured())
    tiles([...summary, ...parityTiles(parity, title)])
    const other =
      where === 'CPU'
        ? 'a second run of the CPU, and no GPU was used'
        : parity.withinBound?.secondRunCount
          ? 'the CPU or, in large orthogonal matrices, with a second run of the GPU'
          : 'the CPU'
    const compared = parity.comparedCount + (parity.withinBound?.count ?? 0)
    status.textContent = parity.complete
      ? `Done: every element was compared with ${other}.`
      : `Done: ${integer(compared)} of ${integer(parity.elementCount)} elements were compared with ${other}.`
    const first = [...statistics.values()].sort((a, b) => b.count - a.count)[0]
    if (first !== undefined) await select(first.name)
  })
}

/** What was compared bit by bit, and apart from it what within a bound. */
function parityTiles(
  { ok, mismatchCount, comparedCount, withinBound, parameters }: VerificationReport,
  title: string,
): [string, string, string][] {
  const byName = new Map(plan?.parameters.map((p) => [p.name, p.byteLength / p.elementCount]))
  const bits = parameters.reduce((sum, p) => sum + p.comparedCount * 8 * (byName.get(p.name) ?? 4), 0)
  const good = (n: number): string => (n === 0 && (ok || withinBound !== undefined) ? 'good' : 'bad')
  return [
    ...(comparedCount > 0 || withinBound === undefined
      ? ([
          [
            title,
            mismatchCount === 0
              ? `0 of ${compact(bits)}`
              : `${integer(mismatchCount)} of ${integer(comparedCount)} elements`,
            good(mismatchCount),
          ],
        ] as [string, string, string][])
      : []),
    ...(withinBound === undefined
      ? []
      : ([
          [
            `Elements further off than ${withinBound.bound.toExponential(0)}`,
            `${integer(withinBound.beyondCount)} of ${compact(withinBound.count)}`,
            ok ? 'good' : good(withinBound.beyondCount),
          ],
        ] as [string, string, string][])),
  ]
}

function measured(): ReadonlyMap<string, Measured> {
  const verified = new Map(parity?.parameters.map((p) => [p.name, p]))
  return new Map(
    [...statistics].map(([name, { std }]) => {
      const row = verified.get(name)
      if (row === undefined || (row.comparedCount === 0 && row.withinBound === undefined)) return [name, { std }]
      return [name, { std, parity: { text: parityCell(row), good: row.ok } }]
    }),
  )
}

async function select(name: string): Promise<void> {
  const parameter = plan?.parameters.find((p) => p.name === name)
  const row = statistics.get(name)
  if (parameter === undefined || row === undefined) return
  table.mark(name)
  await detail.show(
    parameter,
    row,
    parity?.parameters.find((p) => p.name === name),
  )
}

function showPlace({ backend, text }: { backend: string; text: string }): void {
  const place = element('place')
  place.dataset.backend = backend
  place.textContent = backend === 'webgpu' ? text : `${text}: the CPU makes the same bits, in a worker, more slowly.`
}

form.onSubmit((request) => {
  error.textContent = ''
  run(request).catch((problem: Error) => {
    status.textContent = problem.name === 'AbortError' || /abort/i.test(problem.message) ? 'Cancelled.' : ''
    if (status.textContent === '') fail(problem)
  })
})
cancel.addEventListener('click', () => {
  current++
  step++
  status.textContent = 'Cancelled.'
  void engine.cancel()
})
element<HTMLInputElement>('filter').addEventListener('input', (event) => {
  table.filter((event.target as HTMLInputElement).value)
})
element('save').addEventListener('click', async () => {
  const done = element('take-status')
  try {
    const file = await pickFile('weights.safetensors')
    if (file === null) return
    const blob = await busy(() => reporting('Writing', (report) => engine.save(file, report)))
    if (blob !== undefined) download(blob, 'weights.safetensors')
    status.textContent = ''
    done.textContent = 'weights.safetensors is written.'
  } catch (problem) {
    done.textContent = `Not written: ${(problem as Error).message}`
  }
})
element('manifest').addEventListener('click', async () => {
  const text = JSON.stringify(await engine.manifest(), null, 2)
  download(new Blob([text], { type: 'application/json' }), 'manifest.json')
  element('take-status').textContent =
    'The manifest is a few bytes that make the same weights again: rematerialize(manifest).'
})
element('copy').addEventListener('click', async () => {
  const done = element('take-status')
  try {
    await navigator.clipboard.writeText(element('code').textContent ?? '')
    done.textContent = 'The code is in the clipboard.'
  } catch {
    getSelection()?.selectAllChildren(element('code'))
    done.textContent = 'The code is selected: copy it with the keyboard.'
  }
})

engine.place().then(showPlace, fail)
new Depth(engine, element<HTMLFormElement>('depth-form'))
