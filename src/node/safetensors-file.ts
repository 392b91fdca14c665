import { randomBytes } from 'node:crypto'
import { type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { show, WeightInitError } from '../errors.js'
import type { InitializedModel } from '../initialized-model.js'
import { layoutSafetensors } from '../interop/safetensors.js'
import type { PlannedParameter } from '../plan.js'

/** Bytes on the host at a time while writing. */
const CHUNK_BYTES = 2 ** 24

/**
 * A .safetensors file in the making. It is written beside its final name, as `<path>.<unique>.partial`, and takes the final
 * name only when it is complete and on disk: an interrupted run leaves no half file under the final name.
 */
export class SafetensorsFile {
  readonly path: string
  readonly #partial: string
  readonly #handle: FileHandle
  #open = true

  private constructor(path: string, partial: string, handle: FileHandle) {
    this.path = path
    this.#partial = partial
    this.#handle = handle
  }

  /**
   * Opens the partial file at once, so that a path that cannot be written is found before any other work. An existing
   * regular file is replaced when all is done; through a symbolic link, the file it points to. Anything else (a folder, a
   * device) is refused. Two runs may aim at one path: each has a partial file of its own.
   */
  static async create(path: string): Promise<SafetensorsFile> {
    const refuse = (why: string, cause?: unknown): never => {
      throw new WeightInitError(
        'IO',
        `Cannot write ${show(path)}: ${why}. Choose a path in a folder that exists and is writable.`,
        { cause },
      )
    }
    let target = path
    try {
      target = await realpath(path)
      if (!(await stat(target)).isFile()) refuse('it exists and is no regular file')
    } catch (cause) {
      if (cause instanceof WeightInitError) throw cause
      // Absent, as it should be; a link to nothing is not.
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') refuse((cause as Error).message, cause)
      if (
        await lstat(path).then(
          () => true,
          () => false,
        )
      )
        refuse('it is a symbolic link to nothing', cause)
    }
    const partial = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.partial`
    try {
      return new SafetensorsFile(target, partial, await open(partial, 'wx'))
    } catch (cause) {
      return refuse((cause as Error).message, cause)
    }
  }

  /** Streams a model's parameters, in order; tied ones are left out, as the format has no aliases. */
  async write(
    weights: InitializedModel,
    metadata: Readonly<Record<string, string>> = {},
    options: {
      readonly signal?: AbortSignal
      readonly onProgress?: (bytesDone: number, bytesTotal: number) => void
    } = {},
  ): Promise<void> {
    const own: PlannedParameter[] = weights.plan.parameters.filter(({ action }) => action === 'initialize')
    const layout = layoutSafetensors(own, metadata)
    await this.#writeAt(layout.header, 0)
    let bytesDone = 0
    for (const [index, { name, byteLength }] of own.entries()) {
      for (let start = 0; start < byteLength; start += CHUNK_BYTES) {
        options.signal?.throwIfAborted()
        const bytes = await weights.readBytes(name, start, Math.min(CHUNK_BYTES, byteLength - start))
        await this.#writeAt(bytes, layout.offsets[index]! + start)
        bytesDone += bytes.length
        options.onProgress?.(bytesDone, weights.plan.totals.byteLength)
      }
    }
    await this.#io(this.#handle.sync())
    options.signal?.throwIfAborted()
    await this.#close()
    await this.#io(rename(this.#partial, this.path))
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#io(this.#handle.write(bytes, done, bytes.length - done, position + done))
      done += bytesWritten
    }
  }

  async #io<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (cause) {
      throw new WeightInitError('IO', `Writing ${show(this.path)} failed: ${(cause as Error).message}.`, { cause })
    }
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }

  /** Removes the partial file; harmless after `write` is done. */
  async discard(): Promise<void> {
    await this.#close()
    await rm(this.#partial, { force: true })
  }
}

/**
 * Writes initialised weights as a .safetensors file, streamed: the host holds 16 MiB at a time.
 * @throws WeightInitError `IO`; the final name then holds what it held before
 */
export async function writeSafetensors(
  path: string,
  weights: InitializedModel,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const file = await SafetensorsFile.create(path)
  try {
    await file.write(weights, metadata)
  } finally {
    await file.discard()
  }
}
