import { lstat, mkdir, readdir, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { show, showPath, WeightInitError } from '../../core/errors.js'
import { npyHeader } from '../../readers/npy.js'
import {
  type CheckpointWriter,
  copyTensor,
  Places,
  type ReadTensor,
  type StoredTensor,
  type WriteOptions,
} from './checkpoint-writer.js'
import { isOfKind } from './file-kind.js'
import { io, PartialFile } from './partial-file.js'
import { partialName, removeStalePartials } from './partial-name.js'

const FORMAT = 'webgpu-init-npy'
const INDEX = 'index.json'

interface Place {
  readonly file: string
  readonly header: Uint8Array
  readonly byteLength: number
}

/**
 * Writes a folder with one .npy file per tensor and an index.json that maps names to files. The folder is filled under
 * another name and gets its final name when it is complete. A folder that an earlier run wrote is replaced; any other folder
 * that is not empty is refused.
 */
export class NpyWriter implements CheckpointWriter {
  readonly paths: readonly string[]
  readonly #folder: string
  readonly #partial: string
  readonly #places: Places<Place>
  readonly #index: string

  private constructor(path: string, folder: string, partial: string, places: Places<Place>, index: string) {
    this.paths = [path]
    this.#folder = folder
    this.#partial = partial
    this.#places = places
    this.#index = index
  }

  /** @throws WeightInitError `IO`, `UNSUPPORTED_DTYPE` for a dtype NumPy lacks, `INVALID_MODEL` for names that collide */
  static async create(
    path: string,
    tensors: readonly StoredTensor[],
    metadata: Readonly<Record<string, string>>,
  ): Promise<NpyWriter> {
    const names = new Map<string, string>()
    const entries = tensors.map(({ name, shape, dtype, storedDType, byteLength }) => {
      const file = fileName(name)
      // Some file systems do not distinguish upper and lower case.
      const other = names.get(file.toLowerCase())
      if (other !== undefined) {
        throw new WeightInitError(
          'INVALID_MODEL',
          `Parameters ${show(other)} and ${show(name)} would share the file ${show(file)}; write safetensors instead.`,
        )
      }
      names.set(file.toLowerCase(), name)
      if (dtype === undefined) {
        throw new WeightInitError(
          'UNSUPPORTED_DTYPE',
          `Parameter ${show(name)}: .npy has no type for ${storedDType}. Write safetensors instead.`,
        )
      }
      return { name, file, dtype, shape, byteLength, header: npyHeader(dtype, shape, `Parameter ${show(name)}`) }
    })
    const folder = await replaceable(path)
    await removeStalePartials(folder)
    const partial = partialName(folder)
    try {
      await mkdir(partial)
    } catch (cause) {
      throw refusal(path, (cause as Error).message, cause)
    }
    const listed = entries.map(({ header, ...entry }) => entry)
    const index = { format: FORMAT, version: 1, tensors: listed, metadata }
    const places = new Places(entries.map(({ name, ...place }) => [name, place] as const))
    return new NpyWriter(path, folder, partial, places, `${JSON.stringify(index, null, 1)}\n`)
  }

  async write(name: string, read: ReadTensor, options?: WriteOptions): Promise<void> {
    const { file, header, byteLength } = this.#places.take(name)
    await this.#put(file, header, (target) => copyTensor(target, header.length, byteLength, read, options))
  }

  async #put(name: string, head: Uint8Array, rest?: (file: PartialFile) => Promise<void>): Promise<void> {
    const file = await PartialFile.create(join(this.#partial, name), { kind: 'npy' })
    try {
      await file.writeAt(head, 0)
      await rest?.(file)
      await file.commit()
    } finally {
      await file.discard()
    }
  }

  async finish(): Promise<void> {
    this.#places.requireNone()
    await this.#put(INDEX, new TextEncoder().encode(this.#index))
    await replaceable(this.#folder)
    const old = partialName(this.#folder)
    const hadOld = await rename(this.#folder, old).then(
      () => true,
      () => false,
    )
    try {
      await io(this.#folder, rename(this.#partial, this.#folder))
    } catch (error) {
      if (hadOld) await rename(old, this.#folder)
      throw error
    }
    if (hadOld) await removeEarlier(old)
  }

  async discard(): Promise<void> {
    await rm(this.#partial, { recursive: true, force: true })
  }
}

/** The names that `fileName` returns. */
const fileOfTensor = /^[A-Za-z0-9._%-]+\.npy$/

/** The file name of a parameter. All bytes of its UTF-8 name but ASCII letters, digits, `.`, `_` and `-` become `%XX`. */
function fileName(name: string): string {
  const bytes = new TextEncoder().encode(name)
  const safe = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte)
    return /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
  if (safe.length > 200) {
    throw new WeightInitError(
      'INVALID_MODEL',
      `Parameter ${show(name)}: its name is too long for a file's; write safetensors instead.`,
    )
  }
  return `${safe}.npy`
}

function refusal(path: string, why: string, cause?: unknown): WeightInitError {
  return new WeightInitError('IO', `Cannot write the folder ${showPath(path)}: ${why}.`, { cause })
}

/** The folder's real path. Refuses a folder that contains anything but the files of an earlier run. */
async function replaceable(path: string): Promise<string> {
  let folder: string
  try {
    folder = await realpath(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return path.replace(/[\\/]+$/, '')
    throw refusal(path, (cause as Error).message, cause)
  }
  if (!(await stat(folder)).isDirectory()) throw refusal(path, 'it exists and is not a folder')
  const { foreign } = await sorted(folder)
  if (foreign !== undefined) {
    throw refusal(
      path,
      `it holds ${show(foreign)}, which is not a file of an earlier run. Choose another or an empty folder`,
    )
  }
  return folder
}

/**
 * Finds the files in a folder that an earlier run wrote, and one that it did not write, if there is any. The folder's index
 * lists the files, and counts only for .npy files that have exactly the length given there.
 */
async function sorted(folder: string): Promise<{ readonly ours: readonly string[]; readonly foreign?: string }> {
  const listed = new Map<string, number>()
  try {
    const index = JSON.parse(await readFile(join(folder, INDEX), 'utf8'))
    if (index.format === FORMAT) {
      for (const { file, dtype, shape, byteLength } of index.tensors) {
        if (fileOfTensor.test(file)) listed.set(file, npyHeader(dtype, shape, file).length + byteLength)
      }
    }
  } catch {
    // Without a valid index of this package nothing in the folder may be removed.
    listed.clear()
  }
  const ours: string[] = []
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const found = await lstat(path)
    const known =
      found.isFile() &&
      (name === INDEX
        ? await isOfKind(path, 'npy index')
        : found.size === listed.get(name) && (await isOfKind(path, 'npy')))
    if (!known) return { ours, foreign: name }
    ours.push(name)
  }
  return { ours }
}

/** Removes the files of an earlier run, and then the folder, unless somebody has added a file in the meantime. */
async function removeEarlier(folder: string): Promise<void> {
  const { ours } = await sorted(folder)
  for (const name of ours) await rm(join(folder, name), { force: true })
  await rmdir(folder).catch(() => undefined)
}
