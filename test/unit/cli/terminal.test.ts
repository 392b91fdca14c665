// Guards what the command line draws: colours, progress, numbers.
import { describe, expect, it } from 'vitest'
import { compact, ProgressBar, paint } from '../../../src/cli/terminal.js'

/** A stream that keeps what is written. */
function screen(isTTY: boolean, colours = true) {
  const lines: string[] = []
  return { isTTY, hasColors: () => colours, write: (text: string) => lines.push(text), lines }
}

describe('paint', () => {
  it('colours on a terminal with colours, and nowhere else', () => {
    expect(paint('bad', 'red', screen(true))).toBe('\x1b[31mbad\x1b[0m')
    expect(paint('bad', 'red', screen(true, false)), 'NO_COLOR').toBe('bad')
    expect(paint('bad', 'red', screen(false))).toBe('bad')
  })
})

describe('ProgressBar', () => {
  it.each([20, 30, 40, 60, 80, 200])('fits %d columns', (columns) => {
    const terminal = { ...screen(true), columns }
    let now = 0
    const bar = new ProgressBar([['initialise', 'B', 4e9]], terminal, () => now)
    for (const done of [1, 4e5, 2e9, 4e9]) {
      now += 60_000
      bar.update('initialise', done)
    }
    expect(terminal.lines).toHaveLength(4)
    for (const line of terminal.lines) expect(line.replace('\r\x1b[K', '').length).toBeLessThan(columns)
    expect(terminal.lines.at(-1)).toContain('100 %')
  })

  it('shows share, rate and time left, over all phases', () => {
    const terminal = screen(true)
    let now = 0
    const bar = new ProgressBar(
      [
        ['fill', 'B', 4000],
        ['write', 'B', 4000],
      ],
      terminal,
      () => now,
    )
    now = 1000
    bar.update('fill', 1000)
    // 1000 B/s: 3 s left for fill; write has not begun.
    expect(terminal.lines.at(-1)).toBe('\r\x1b[Kfill         [######..................]  25 %  1.0 kB/s  3+ s left')
    now = 3000
    bar.update('write', 1000)
    // write: 500 B/s, 6 s left, and 3 s for fill.
    expect(terminal.lines.at(-1)).toBe('\r\x1b[Kwrite        [######..................]  25 %  500 B/s  9 s left')
    bar.clear()
    expect(terminal.lines.at(-1)).toBe('\r\x1b[K')
  })

  it('draws at most ten times a second, but always the end', () => {
    const terminal = screen(true)
    let now = 0
    const bar = new ProgressBar([['fill', 'B', 1000]], terminal, () => now)
    for (let done = 1; done <= 1000; done++) {
      now += 1
      bar.update('fill', done)
    }
    expect(terminal.lines.length).toBeGreaterThan(5)
    expect(terminal.lines.length).toBeLessThanOrEqual(12)
    expect(terminal.lines.at(-1)).toContain('100 %')
  })

  it('writes nothing into a pipe', () => {
    const pipe = screen(false)
    const bar = new ProgressBar([['fill', 'B', 1]], pipe)
    bar.update('fill', 1)
    bar.clear()
    expect(pipe.lines).toEqual([])
  })

  it('counts minutes', () => {
    const terminal = screen(true)
    let now = 0
    const bar = new ProgressBar([['fill', 'B', 1000]], terminal, () => now)
    now = 10_000
    bar.update('fill', 100)
    expect(terminal.lines.at(-1)).toMatch(/1:30 min left$/)
  })
})

describe('compact', () => {
  it('takes SI prefixes', () => {
    expect([0, 999, 1500, 124_439_808, 2.5e9, 3e12].map(compact)).toEqual([
      '0 ',
      '999 ',
      '1.5 k',
      '124.4 M',
      '2.5 G',
      '3.0 T',
    ])
  })
})
