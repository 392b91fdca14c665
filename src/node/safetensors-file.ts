import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { show, WeightInitError } from '../errors.js'
import type { InitializedModel } from '../initialized-model.js'
import { layoutSafetensors } from '../interop/safetensors.js'
import type { PlannedParameter } from '../plan.js'

/** Bytes on the host at a time while writing. */
const CHUNK_BYTES = 2 ** 24

/**
 * A .safetensors file in the making. It is written beside its final name, as `<path>.partial`, and takes the final
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

  /** Opens the partial file at once, so that a path that cannot be written is found before any other work. */
  static async create(path: string): Promise<SafetensorsFile> {
    const partial = `${path}.partial`
    try {
      return new SafetensorsFile(path, partial, await open(partial, 'w'))
    } catch (cause) {
      throw new WeightInitError(
        'IO',
        `Cannot write ${show(path)}: ${(cause as Error).message}. Choose a path in a folder that exists and is writable.`,
        { cause },
      )
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
