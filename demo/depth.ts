import type { Remote } from 'comlink'
import type { Engine } from './engine.worker.ts'
import type { DepthCurves, DepthRequest } from './messages.ts'
import { type Activation, activations } from './models.ts'
import { depthPlot } from './plots.ts'

const element = (id: string): HTMLElement => document.getElementById(id)!

/** Plots the signal's strength by layer, and plots it again whenever a setting changes. */
export class Depth {
  readonly #engine: Remote<Engine>
  readonly #form: HTMLFormElement
  #wanted: DepthRequest | undefined
  #running = false

  constructor(engine: Remote<Engine>, form: HTMLFormElement) {
    this.#engine = engine
    this.#form = form
    const select = form.elements.namedItem('activation') as HTMLSelectElement
    select.append(...Object.keys(activations).map((name) => new Option(name, name)))
    form.addEventListener('input', () => this.#edited())
    form.addEventListener('submit', (event) => event.preventDefault())
    this.#edited()
  }

  #edited(): void {
    for (const range of this.#form.querySelectorAll<HTMLInputElement>('input[type=range]')) {
      ;(range.nextElementSibling as HTMLOutputElement).value = range.value
    }
    const data = new FormData(this.#form)
    this.#wanted = {
      layers: Number(data.get('layers')),
      width: Number(data.get('width')),
      gain: Number(data.get('gain')),
      activation: data.get('activation') as Activation,
    }
    if (!this.#running) void this.#run()
  }

  /** Runs one computation at a time, and then the one for the latest settings. */
  async #run(): Promise<void> {
    this.#running = true
    try {
      while (this.#wanted !== undefined) {
        const request = this.#wanted
        this.#wanted = undefined
        this.#draw(await this.#engine.propagate(request))
      }
    } catch (problem) {
      element('verdicts').textContent = (problem as Error).message
    } finally {
      this.#running = false
    }
  }

  #draw(curves: readonly DepthCurves[]): void {
    for (const direction of ['forward', 'backward'] as const) {
      const lines = curves.map((curve) => ({ initializer: curve.initializer, values: curve[direction] }))
      element(direction).replaceChildren(depthPlot(lines))
    }
    element('verdicts').textContent = curves
      .map(({ initializer, verdict, advice }) => `${initializer}: ${verdict}. ${advice.join(' ')}`.trim())
      .join('\n')
  }
}
