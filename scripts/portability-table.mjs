// The tables that scripts/portability.mjs writes: the complete one to docs/portability.md, and a summary to README.md.

/** The measured devices, by the text in the adapter's name. Each is a column of the summary. */
export const deviceNames = { SwiftShader: /swiftshader/i, llvmpipe: /llvmpipe/i }

const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/**
 * @param {readonly string[]} columns what was filled
 * @param {readonly (readonly string[])[]} rows implementation, device, and the differing bits of each column
 */
export const wholeTable = (columns, rows) => table(['WebGPU', 'device', ...columns], rows)

/**
 * A table with a row for each implementation and a column for each device. A cell has the number of differing bits in total.
 * @param {readonly (readonly string[])[]} rows as in `wholeTable`
 * @throws Error for a device without a column, or a cell without a measurement
 */
export function summaryTable(rows) {
  const devices = Object.entries(deviceNames)
  const sums = new Map()
  for (const [implementation, device, ...bits] of rows) {
    const [name] = devices.find(([, pattern]) => pattern.test(device)) ?? []
    if (name === undefined) throw new Error(`The summary has no column for the device ${device}`)
    const sum = bits.reduce((total, count) => total + Number(count), 0)
    sums.set(implementation, { ...sums.get(implementation), [name]: sum })
  }
  const names = devices.map(([name]) => name)
  return table(
    ['WebGPU', ...names],
    [...sums].map(([implementation, found]) => {
      const missing = names.find((name) => found[name] === undefined)
      if (missing !== undefined) throw new Error(`${implementation} was not measured on ${missing}`)
      return [implementation, ...names.map((name) => found[name].toLocaleString('en'))]
    }),
  )
}

/** The pages with the tables. `mark` is the word in the comments around a table. */
export const places = [
  { file: 'docs/portability.md', mark: 'portability' },
  { file: 'README.md', mark: 'portability summary' },
]

const marked = (mark) => new RegExp(`(<!-- ${mark}: [^>]*-->\\n)([\\s\\S]*?)(\\n<!-- ${mark} end -->)`)

/**
 * The table in a page.
 * @throws Error if the page does not have the comments
 */
export function tableIn(text, mark) {
  const found = marked(mark).exec(text)
  if (found === null) throw new Error(`There is no place for the table "${mark}"`)
  return found[2].trim()
}

/** The page with its table replaced. Throws the same errors as `tableIn`. */
export function withTable(text, mark, table) {
  tableIn(text, mark)
  return text.replace(marked(mark), (_, begin, _old, end) => `${begin}\n${table}\n${end}`)
}
