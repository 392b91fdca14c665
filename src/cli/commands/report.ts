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

/** The page's own files, beside the built command line: dist/report. */
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

/** A report in the making: beside its final name until it is complete. */
export class ReportFile {
  readonly path: string
  readonly #file: PartialFile

  private constructor(path: string, file: PartialFile) {
    this.path = path
    this.#file = file
  }

  /** Finds out before any other work whether the path can be written. */
  static async create(path: string, force: boolean): Promise<ReportFile> {
    return new ReportFile(path, await PartialFile.create(path, { kind: 'report', force }))
  }

  async write(data: ReportData): Promise<void> {
    const [script, style] = await Promise.all([pageFile('page.js'), pageFile('page.css')])
    await this.#file.writeAt(new TextEncoder().encode(reportHtml(data, { script, style })), 0)
    await this.#file.commit()
  }

  /** Takes away what `write` did not finish. */
  async discard(): Promise<void> {
    await this.#file.discard()
  }
}
