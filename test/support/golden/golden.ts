// A golden file is a tree; every row of it must meet a check.

/** What looks at the rows whose path it names. Path elements are joined by '|'. */
export interface GoldenCheck {
  readonly path: RegExp
  check(row: never, path: readonly string[]): void | Promise<void>
}

const ignored = /(^|\|)(_meta|note|provenance|format)(\||$)/

/** Runs the first check that names a row, on the way down; gives the paths of the rows that none names. */
export async function checkGolden(golden: unknown, checks: readonly GoldenCheck[]): Promise<string[]> {
  const uncovered: string[] = []
  const walk = async (node: unknown, path: readonly string[]): Promise<void> => {
    const text = path.join('|')
    if (ignored.test(text)) return
    const found = checks.find((check) => check.path.test(text))
    if (found !== undefined) {
      await found.check(node as never, path)
    } else if (typeof node === 'object' && node !== null) {
      for (const [key, child] of Object.entries(node)) await walk(child, [...path, key])
    } else {
      uncovered.push(text)
    }
  }
  await walk(golden, [])
  return uncovered
}
