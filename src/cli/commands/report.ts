import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { show, WeightInitError } from '../../core/errors.js'
import { reportHtml } from '../../report/html.js'
import type { ReportData } from '../../report/types.js'
import type { Flag } from '../arguments.js'

export const reportFlag: Flag = {
  value: 'PATH',
  help: `also write an HTML page of every parameter's histogram, quantiles and tests; it needs no network`,
}

/** The page's own files, beside the built command line: dist/report. */
async function pageFile(name: string): Promise<string> {
  const path = join(dirname(fileURLToPath(import.meta.url)), 'report', name)
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new WeightInitError('IO', `Cannot read ${show(path)}, a part of this package: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

/** A report in the making: beside its final name until it is complete. */
export class ReportFile {
  readonly path: string
  readonly #partial: string

  private constructor(path: string) {
    this.path = path
    this.#partial = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.partial`
  }

  /** Finds out before any other work whether the path can be written. */
  static async create(path: string): Promise<ReportFile> {
    const file = new ReportFile(path)
    try {
      if (
        await stat(path).then(
          (found) => !found.isFile(),
          () => false,
        )
      )
        throw new Error('it exists and is no regular file')
      await (await open(file.#partial, 'wx')).close()
    } catch (cause) {
      throw new WeightInitError(
        'IO',
        `Cannot write the report ${show(path)}: ${(cause as Error).message}. Choose a path in a folder that exists and is writable.`,
        { cause },
      )
    }
    return file
  }

  async write(data: ReportData): Promise<void> {
    const [script, style] = await Promise.all([pageFile('page.js'), pageFile('page.css')])
    const handle = await open(this.#partial, 'w')
    try {
      await handle.writeFile(reportHtml(data, { script, style }))
    } finally {
      await handle.close()
    }
    await rename(this.#partial, this.path)
  }

  /** Takes away what `write` did not finish. */
  async discard(): Promise<void> {
    await rm(this.#partial, { force: true })
  }
}
