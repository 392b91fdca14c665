import { type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { showPath, WeightInitError } from '../../core/errors.js'
import { type FileKind, isOfKind, kinds } from './file-kind.js'
import { partialName, removeStalePartials } from './partial-name.js'

const refuse = (path: string, why: string, cause?: unknown): never => {
  throw new WeightInitError(
    'IO',
    `Cannot write ${showPath(path)}: ${why}. Choose a path in a folder that exists and is writable.`,
    { cause },
  )
}

/** Which file a new file may replace: one of the same kind, or with `force` any file. */
export interface Replacing {
  readonly kind: FileKind
  readonly force?: boolean
}

/** Waits for a file operation. If it fails, the error is an `IO` error that names the path. */
export async function io<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new WeightInitError('IO', `Writing ${showPath(path)} failed: ${(cause as Error).message}.`, { cause })
  }
}

/**
 * A file that is being written. It has the name `<path>.<unique>.partial` and gets its final name only when it is complete
 * and on disk, so that an interrupted run leaves no incomplete file under the final name.
 */
export class PartialFile {
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
   * Opens the partial file at once, so that a path that cannot be written is found before any other work. `commit` replaces
   * an existing regular file; if the path is a symbolic link, it replaces the file that the link points to. Anything else (a
   * folder, a device) is refused, and without `force` also a file of another kind. Concurrent runs with the same path have
   * partial files of their own. Partial files of runs that were killed are removed.
   */
  static async create(path: string, { kind, force = false }: Replacing): Promise<PartialFile> {
    let target = path
    try {
      target = await realpath(path)
      const found = await stat(target)
      if (!found.isFile()) refuse(path, 'it exists and is not a regular file')
      if (!force && found.size > 0 && !(await isOfKind(target, kind))) {
        refuse(path, `it exists and is not ${kinds[kind].what}; --force (option force) replaces it`)
      }
    } catch (cause) {
      if (cause instanceof WeightInitError) throw cause
      // It is normal that the path does not exist, but not that a link points to nothing.
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') refuse(path, (cause as Error).message, cause)
      const isLink = await lstat(path).then(
        () => true,
        () => false,
      )
      if (isLink) refuse(path, 'it is a symbolic link to nothing', cause)
    }
    await removeStalePartials(target)
    const partial = partialName(target)
    try {
      return new PartialFile(target, partial, await open(partial, 'wx'))
    } catch (cause) {
      return refuse(path, (cause as Error).message, cause)
    }
  }

  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await io(
        this.path,
        this.#handle.write(bytes, done, bytes.length - done, position + done),
      )
      done += bytesWritten
    }
  }

  /** Call this when the content is complete. Afterwards all of it is on disk, still under the partial name. */
  async seal(): Promise<void> {
    if (!this.#open) return
    await io(this.path, this.#handle.sync())
    await this.#close()
  }

  /** Gives a sealed file its final name. */
  async commit(): Promise<void> {
    await this.seal()
    await io(this.path, rename(this.#partial, this.path))
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }

  /** Removes the partial file. Has no effect after `commit`. */
  async discard(): Promise<void> {
    await this.#close()
    await rm(this.#partial, { force: true })
  }
}
