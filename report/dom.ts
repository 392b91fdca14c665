type Child = Node | string | undefined | false

/** An element with attributes and children. A string becomes text, never markup. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElement {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children.filter((child): child is Node | string => child !== undefined && child !== false))
  return made
}

export const badge = (ok: boolean | undefined, text: string): HTMLElement =>
  element('span', { class: ok === undefined ? 'badge none' : ok ? 'badge' : 'badge bad' }, text)

/** A table that scrolls sideways if it is too wide. Columns with a title that begins with '#' hold numbers. */
export function table(
  caption: string,
  header: readonly string[],
  rows: readonly { cells: readonly Child[]; bad?: boolean }[],
): HTMLElement {
  const isNumber = header.map((title) => title.startsWith('#'))
  const cell = (name: string, child: Child, column: number): HTMLElement =>
    element(
      name,
      { class: isNumber[column] ? 'number' : column === 0 ? 'name' : '', ...(name === 'th' ? { scope: 'col' } : {}) },
      child,
    )
  const titles = header.map((title, column) => cell('th', title.replace(/^#/, ''), column))
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...titles)),
      element(
        'tbody',
        {},
        ...rows.map(({ cells, bad }) =>
          element('tr', bad ? { class: 'bad' } : {}, ...cells.map((child, column) => cell('td', child, column))),
        ),
      ),
    ),
  )
}

/** Numbers that JSON cannot represent are stored as text. */
export const numberOf = (value: unknown): number => Number(value)

/** Four significant digits. Small and large numbers have an exponent. */
export function digits(value: unknown, count = 4): string {
  const number = numberOf(value)
  if (!Number.isFinite(number)) return String(number)
  if (number === 0) return '0'
  const size = Math.abs(number)
  return size < 1e-4 || size >= 1e6 ? number.toExponential(count - 1) : String(Number(number.toPrecision(count)))
}
