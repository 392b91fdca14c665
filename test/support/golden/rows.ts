// What golden rows ask for, gathered so that a device makes all of it in a few calls.
import { fillBytes } from '../../../src/cpu/fill.js'
import { fillJob } from '../../../src/fill/make-job.js'
import { planModel } from '../../../src/index.js'
import type { GeneratorDraw } from '../../../src/ir/generator.js'
import type { FillJob } from '../../../src/ir/job.js'

/** A function of four words, in WGSL (`x`, and `source`, all inputs) and in TypeScript. */
export interface WordFunction {
  readonly imports: readonly string[]
  readonly slots?: Readonly<Record<string, string>>
  readonly body: string
  readonly reference: (x: Uint32Array, source: Uint32Array) => readonly number[]
}

/** Where golden rows are made: `hostTarget` or `deviceTarget` (golden-device.ts). */
export interface GoldenTarget {
  readonly device: GPUDevice | 'cpu'
  /** The float32 elements of jobs. */
  fill(jobs: readonly FillJob[]): Promise<Float32Array[]>
  /** Four words for every four of `source`. */
  map(f: WordFunction, source: Uint32Array): Promise<Uint32Array>
}

export const hostTarget: GoldenTarget = {
  device: 'cpu',
  fill: async (jobs) => jobs.map((job) => new Float32Array(fillBytes(job, 0, job.elementCount).slice().buffer)),
  map: async (f, source) => {
    const out = new Uint32Array(source.length)
    for (let i = 0; i < source.length; i += 4) out.set(f.reference(source.subarray(i, i + 4), source), i)
    return out
  },
}

type Planned = Parameters<typeof planModel>

/** Collects what rows ask for; `run` makes it and then lets every row look. */
export class GoldenRows {
  readonly target: GoldenTarget
  readonly #jobs: { readonly job: FillJob; readonly label: string; readonly check: (values: Float32Array) => void }[] =
    []
  readonly #words = new Map<
    WordFunction,
    { readonly source: number[]; readonly checks: { at: number; end: number; label: string; check: WordsCheck }[] }
  >()

  constructor(target: GoldenTarget) {
    this.target = target
  }

  /** Elements [first, first + count) of a draw. */
  draw(label: string, draw: GeneratorDraw, [first, elementCount]: [number, number], check: (x: Float32Array) => void) {
    const source = { kind: 'generator', ...draw } as const
    const job: FillJob = { name: 'w', dtype: 'float32', firstElement: first, elementCount, source, patches: [] }
    this.#jobs.push({ job, label, check })
  }

  /** Every parameter of a model, as the planner takes its arguments. */
  model(label: string, planned: Planned, check: (name: string, values: Float32Array) => void) {
    for (const parameter of planModel(...planned).parameters) {
      const { name } = parameter
      this.#jobs.push({ job: fillJob(parameter), label: `${label} ${name}`, check: (values) => check(name, values) })
    }
  }

  /** A function of words: four words out for every four in. `input` is told the index of its first four. */
  words(label: string, f: WordFunction, input: (first: number) => readonly number[], check: WordsCheck) {
    const entry = this.#words.get(f) ?? { source: [], checks: [] }
    this.#words.set(f, entry)
    const at = entry.source.length
    for (const word of input(at / 4)) entry.source.push(word)
    entry.checks.push({ at, end: entry.source.length, label, check })
  }

  /** What only the host makes, whatever the device: checked once, on the CPU. */
  host(check: () => void) {
    if (this.target.device === 'cpu') check()
  }

  async run(): Promise<number> {
    const named = (label: string, check: () => void): void => {
      try {
        check()
      } catch (error) {
        if (error instanceof Error) error.message = `${label}: ${error.message}`
        throw error
      }
    }
    let looked = 0
    const values = await this.target.fill(this.#jobs.map(({ job }) => job))
    for (const [i, { label, check }] of this.#jobs.entries()) named(label, () => check(values[i]!))
    looked += this.#jobs.length
    for (const [f, { source, checks }] of this.#words) {
      const out = await this.target.map(f, Uint32Array.from(source))
      for (const { at, end, label, check } of checks) named(label, () => check([...out.subarray(at, end)]))
      looked += checks.length
    }
    return looked
  }
}

type WordsCheck = (out: readonly number[]) => void
