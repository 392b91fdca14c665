/** A progress line on stderr, drawn only on a terminal and at most ten times a second. */
export class ProgressBar {
  readonly #label: string
  readonly #started = performance.now()
  #drawn = 0

  constructor(label: string) {
    this.#label = label
  }

  update(done: number, total: number, unit: string): void {
    if (!process.stderr.isTTY) return
    const now = performance.now()
    if (now - this.#drawn < 100 && done < total) return
    this.#drawn = now
    const share = total === 0 ? 1 : done / total
    const seconds = (now - this.#started) / 1000
    const left = share > 0 ? (seconds / share) * (1 - share) : 0
    const bar = '#'.repeat(Math.round(24 * share)).padEnd(24, '.')
    const rate = seconds > 0 ? `${compact(done / seconds)}${unit}/s` : ''
    process.stderr.write(
      `\r\x1b[K${this.#label.padEnd(12)} [${bar}] ${(100 * share).toFixed(0).padStart(3)} %  ${rate}  ${left.toFixed(0)} s left`,
    )
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

/** 124439808 -> 124.4 M; three to four significant digits with an SI prefix. */
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

/** Columns padded to their widest cell; numbers to the right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
