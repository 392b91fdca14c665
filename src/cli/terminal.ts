import { visible } from '../core/visible.js'

/** The used parts of an output stream: process.stdout, process.stderr, or a substitute in a test. */
export interface Terminal {
  readonly isTTY?: boolean
  /** The width of the terminal, if it is known. */
  readonly columns?: number
  /** Must respect NO_COLOR, FORCE_COLOR and TERM=dumb. */
  hasColors?(): boolean
  write(text: string): unknown
}

const codes = { red: 31, green: 32, yellow: 33, dim: 2 } as const

/** The text in a colour if the stream is a terminal with colours and the user wants them; otherwise the text unchanged. */
export function paint(text: string, colour: keyof typeof codes, stream: Terminal = process.stdout): string {
  return stream.isTTY && stream.hasColors?.() ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text
}

interface Phase {
  readonly label: string
  readonly unit: string
  done: number
  total: number
  milliseconds: number
}

/**
 * A progress line on stderr. It is drawn only on a terminal, and at most ten times a second. The work may alternate between
 * phases (initialise, verify, write, and again for the next part). Each phase has a rate of its own, and the remaining time
 * is the sum over the phases.
 */
export class ProgressBar {
  readonly #phases: readonly Phase[]
  readonly #stream: Terminal
  readonly #now: () => number
  #drawn = Number.NEGATIVE_INFINITY
  #since: number

  /** @param phases label, unit of the count, and total count of each phase */
  constructor(
    phases: readonly (readonly [label: string, unit: string, total: number])[],
    stream: Terminal = process.stderr,
    now: () => number = () => performance.now(),
  ) {
    this.#phases = phases.map(([label, unit, total]) => ({ label, unit, total, done: 0, milliseconds: 0 }))
    this.#stream = stream
    this.#now = now
    this.#since = now()
  }

  /** Reports how much of a phase is done. */
  update(label: string, done: number): void {
    const phase = this.#phases.find((one) => one.label === label)!
    const now = this.#now()
    phase.done = done
    phase.milliseconds += now - this.#since
    this.#since = now
    if (!this.#stream.isTTY || (now - this.#drawn < 100 && done < phase.total)) return
    this.#drawn = now
    const share = phase.total === 0 ? 1 : done / phase.total
    const rate = phase.milliseconds > 0 ? `${compact((1000 * done) / phase.milliseconds)}${phase.unit}/s` : ''
    this.#stream.write(`\r\x1b[K${this.#line(label, share, rate)}`)
  }

  /** The line, cut to the width of the terminal, because a line that wraps could not be overwritten. */
  #line(label: string, share: number, rate: string): string {
    const percent = `${(100 * share).toFixed(0).padStart(3)} %`
    const room = (this.#stream.columns ?? 80) - 1
    const after = [`${percent}  ${rate}  ${this.#left()}`, `${percent}  ${this.#left()}`, percent].find(
      (text) => 12 + 1 + 6 + 1 + text.length <= room,
    )
    if (after === undefined) return percent.trim().slice(0, Math.max(0, room))
    const width = Math.min(24, room - (12 + 1 + 2 + 1 + after.length))
    const bar = '#'.repeat(Math.round(width * share)).padEnd(width, '.')
    return `${label.padEnd(12)} [${bar}] ${after}`
  }

  /** The remaining seconds of the phases that have begun; nothing is known about the others. */
  #left(): string {
    const begun = this.#phases.filter(({ done }) => done > 0)
    const seconds = begun.reduce((sum, p) => sum + (p.milliseconds / 1000 / p.done) * (p.total - p.done), 0)
    const more = begun.length < this.#phases.length ? '+' : ''
    if (seconds < 60) return `${seconds.toFixed(0)}${more} s left`
    const minutes = Math.floor(seconds / 60)
    return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')}${more} min left`
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K')
  }
}

/** Formats 124439808 as 124.4 M: three to four significant digits with an SI prefix. */
export function compact(value: number): string {
  for (const [step, prefix] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= step) return `${(value / step).toFixed(1)} ${prefix}`
  }
  return `${value.toFixed(0)} `
}

/** Pads columns to their widest cell and aligns numbers to the right. Each row is one line, whatever its cells contain. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string {
  const shown = rows.map((row) => row.map(visible))
  const widths = header.map((title, column) =>
    shown.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), title.length),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...shown.map(line)].join('\n')
}
