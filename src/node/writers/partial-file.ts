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

/** What may be replaced by a new file: one of the same kind, or with `force` any. */
export interface Replacing {
  readonly kind: FileKind
  readonly force?: boolean
}

/** Does file work; what fails is an `IO` error that names the path. */
export async function io<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new WeightInitError('IO', `Writing ${showPath(path)} failed: ${(cause as Error).message}.`, { cause })
  }
}

/**
 * A file in the making. It is written beside its final name, as `<path>.<unique>.partial`, and takes the final name only
 * when it is complete and on disk: an interrupted run leaves no half file under the final name.
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
   * Opens the partial file at once, so that a path that cannot be written is found before any other work. An existing
   * regular file is replaced when all is done; through a symbolic link, the file it points to. Anything else (a folder, a
   * device) is refused, and without `force` a file that is not of the kind that is written. Two runs may aim at one path:
   * each has a partial file of its own; those of runs that were killed are removed.
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
      // Absent, as it should be; a link to nothing is not.
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

  /** The content is complete: all of it is on disk after this, still under the partial name. */
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

  /** Removes the partial file; harmless after `commit`. */
  async discard(): Promise<void> {
    await this.#close()
    await rm(this.#partial, { force: true })
  }
}
