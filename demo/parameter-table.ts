import { describeDistribution } from '../src/distributions/registry.js'
import type { InitializationPlan, PlannedParameter } from '../src/index.js'
import { integer, significant } from './format.ts'

/** The largest number of rows shown at once. The filter finds the others. */
const MAX_ROWS = 1000

export interface Measured {
  readonly std?: number
  readonly parity?: { readonly text: string; readonly good: boolean }
}

/** The table of the model's parameters: the plan, and the measurements once there are weights. */
export class ParameterTable {
  readonly #body: HTMLTableSectionElement
  readonly #more: HTMLElement
  readonly #select: (name: string) => void
  #plan: InitializationPlan | undefined
  #measured: ReadonlyMap<string, Measured> = new Map()
  #filter = ''
  #selected: string | undefined

  constructor(table: HTMLTableElement, more: HTMLElement, select: (name: string) => void) {
    this.#body = table.tBodies[0]!
    this.#more = more
    this.#select = select
  }

  show(plan: InitializationPlan | undefined, measured: ReadonlyMap<string, Measured> = new Map()): void {
    this.#plan = plan
    this.#measured = measured
    this.#draw()
  }

  filter(text: string): void {
    this.#filter = text.toLowerCase()
    this.#draw()
  }

  mark(name: string | undefined): void {
    this.#selected = name
    for (const row of this.#body.rows) {
      if (row.dataset.name === name) row.setAttribute('aria-current', 'true')
      else row.removeAttribute('aria-current')
    }
  }

  #draw(): void {
    const all = this.#plan?.parameters ?? []
    const matching = all.filter(({ name }) => name.toLowerCase().includes(this.#filter))
    this.#body.replaceChildren(...matching.slice(0, MAX_ROWS).map((parameter) => this.#row(parameter)))
    this.#more.textContent =
      matching.length > MAX_ROWS
        ? `${integer(MAX_ROWS)} of ${integer(matching.length)} are shown; the filter finds the others.`
        : matching.length === 0 && all.length > 0
          ? 'The name of no parameter contains this text.'
          : ''
    this.mark(this.#selected)
  }

  #row({ name, shape, action, tiedTo, distribution, expected, rule }: PlannedParameter): HTMLTableRowElement {
    const row = document.createElement('tr')
    row.dataset.name = name
    const { std, parity } = this.#measured.get(tiedTo ?? name) ?? {}
    if (this.#measured.size > 0 && action === 'initialize') {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = name
      button.addEventListener('click', () => this.#select(name))
      const cell = row.insertCell()
      cell.append(button)
    } else {
      row.insertCell().textContent = name
    }
    row.insertCell().textContent = shape.join(' × ') || 'scalar'
    const drawn = row.insertCell()
    drawn.textContent =
      action === 'tied' ? `tied to ${tiedTo}` : action === 'skip' ? 'skipped' : describeDistribution(distribution)
    drawn.title = rule.because
    for (const value of [expected.std, std]) {
      const cell = row.insertCell()
      cell.className = 'number'
      cell.textContent = value === undefined ? '' : significant(value)
    }
    const last = row.insertCell()
    if (parity !== undefined) {
      last.textContent = parity.text
      last.className = parity.good ? 'good' : 'bad'
    }
    return row
  }
}
