import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { showPath, WeightInitError } from '../../core/errors.js'
import { PartialFile } from '../../node/writers/partial-file.js'
import { reportHtml } from '../../report/html.js'
import type { ReportData } from '../../report/types.js'
import type { Flag } from '../arguments.js'

export const reportFlag: Flag = {
  value: 'PATH',
  help: `also write an HTML page of every parameter's histogram, quantiles and tests; it needs no network`,
}

/** Reads a file of the report page, which is stored beside the built command line in dist/report. */
async function pageFile(name: string): Promise<string> {
  const path = join(dirname(fileURLToPath(import.meta.url)), 'report', name)
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new WeightInitError(
      'IO',
      `Cannot read ${showPath(path)}, a part of this package: ${(cause as Error).message}.`,
      {
        cause,
      },
    )
  }
}

/** A report that is being written. Until it is complete, it is stored under another name beside its final one. */
export class ReportFile {
  readonly path: string
  readonly #file: PartialFile

  private constructor(path: string, file: PartialFile) {
    this.path = path
    this.#file = file
  }

  /** Checks, before any other work, that the path can be written. */
  static async create(path: string, force: boolean): Promise<ReportFile> {
    return new ReportFile(path, await PartialFile.create(path, { kind: 'report', force }))
  }

  async write(data: ReportData): Promise<void> {
    const [script, style] = await Promise.all([pageFile('page.js'), pageFile('page.css')])
    await this.#file.writeAt(new TextEncoder().encode(reportHtml(data, { script, style })), 0)
    await this.#file.commit()
  }

  /** Removes the file if it is not complete. */
  async discard(): Promise<void> {
    await this.#file.discard()
  }
}
