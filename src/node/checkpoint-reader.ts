import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { show, showPath, WeightInitError } from '../core/errors.js'
import {
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsHeaderLength,
} from '../readers/safetensors-header.js'
import { readSafetensorsIndex } from '../readers/safetensors-model.js'

/** A tensor of a checkpoint, and the path of the file that holds it. */
export interface CheckpointTensor extends SafetensorsTensor {
  readonly file: string
}

/** A .safetensors file that is open for reading. Its header has been checked. */
export class SafetensorsReader {
  readonly path: string
  readonly header: SafetensorsHeader
  readonly fileLength: number
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle, header: SafetensorsHeader, fileLength: number) {
    this.path = path
    this.#handle = handle
    this.header = header
    this.fileLength = fileLength
  }

  /** @throws WeightInitError `IO`, `INVALID_FILE` */
  static async open(path: string): Promise<SafetensorsReader> {
    const handle = await reading(path, open(path, 'r'))
    try {
      const { size: fileLength } = await reading(path, handle.stat())
      const start = await readAt(path, handle, 0, Math.min(8, fileLength))
      const length = named(path, () => safetensorsHeaderLength(start, fileLength))
      const bytes = await readAt(path, handle, 0, length)
      const header = named(path, () => parseSafetensorsHeader(bytes, fileLength))
      return new SafetensorsReader(path, handle, header, fileLength)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Bytes [start, start + length) of a tensor. */
  read({ byteOffset }: SafetensorsTensor, start: number, length: number): Promise<Uint8Array> {
    return readAt(this.path, this.#handle, byteOffset + start, length)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** A checkpoint that is open for reading: one .safetensors file, or all files of a model.safetensors.index.json. */
export class CheckpointReader {
  readonly path: string
  /** In the order of the files, and within a file in the order of the bytes. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>
  /** If several files have the same key, the value is that of the first one. */
  readonly metadata: ReadonlyMap<string, string>
  readonly files: readonly SafetensorsReader[]

  private constructor(path: string, files: readonly SafetensorsReader[]) {
    this.path = path
    this.files = files
    const tensors = new Map<string, CheckpointTensor>()
    const metadata = new Map<string, string>()
    for (const { path: file, header } of files) {
      for (const tensor of header.tensors) {
        const other = tensors.get(tensor.name)
        if (other !== undefined) {
          throw new WeightInitError(
            'INVALID_FILE',
            `${showPath(path)}: tensor ${show(tensor.name)} is in ${show(other.file)} and in ${show(file)}.`,
          )
        }
        tensors.set(tensor.name, { ...tensor, file })
      }
      for (const [key, value] of header.metadata) if (!metadata.has(key)) metadata.set(key, value)
    }
    this.tensors = tensors
    this.metadata = metadata
  }

  /** @throws WeightInitError `IO`; `INVALID_FILE` for an invalid file, or an index that does not match its files */
  static async open(path: string): Promise<CheckpointReader> {
    const files: SafetensorsReader[] = []
    try {
      if (!path.endsWith('.json')) {
        files.push(await SafetensorsReader.open(path))
        return new CheckpointReader(path, files)
      }
      const text = await readText(path)
      const { weightMap, files: names } = named(path, () => readSafetensorsIndex(text))
      for (const file of names) {
        files.push(await SafetensorsReader.open(join(dirname(path), file)))
      }
      const reader = new CheckpointReader(path, files)
      for (const [name, file] of weightMap) {
        if (reader.tensors.get(name)?.file !== join(dirname(path), file)) {
          throw new WeightInitError('INVALID_FILE', `${showPath(path)}: tensor ${show(name)} is not in ${show(file)}.`)
        }
      }
      for (const { name, file } of reader.tensors.values()) {
        if (!weightMap.has(name)) {
          throw new WeightInitError(
            'INVALID_FILE',
            `${showPath(path)} does not list tensor ${show(name)} of ${show(file)}.`,
          )
        }
      }
      return reader
    } catch (error) {
      for (const file of files) await file.close()
      throw error
    }
  }

  /** Bytes [start, start + length) of a tensor. */
  read(name: string, start: number, length: number): Promise<Uint8Array> {
    const tensor = this.tensors.get(name)
    const file = this.files.find(({ path }) => path === tensor?.file)
    if (tensor === undefined || file === undefined) {
      throw new WeightInitError('UNKNOWN_PARAMETER', `${showPath(this.path)} has no tensor ${show(name)}.`)
    }
    return file.read(tensor, start, length)
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close()
  }
}

async function reading<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new WeightInitError('IO', `Cannot read ${showPath(path)}: ${(cause as Error).message}.`, { cause })
  }
}

async function readText(path: string): Promise<string> {
  const handle = await reading(path, open(path, 'r'))
  try {
    return await reading(path, handle.readFile('utf8'))
  } finally {
    await handle.close()
  }
}

/** Runs a parser and adds the file's path to its error message. */
function named<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof WeightInitError)) throw cause
    throw new WeightInitError(cause.code, `${showPath(path)}: ${cause.message}`, { cause })
  }
}

async function readAt(path: string, handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await reading(path, handle.read(bytes, done, length - done, position + done))
    if (bytesRead === 0) {
      throw new WeightInitError(
        'IO',
        `Cannot read ${showPath(path)}: it ended at byte ${position + done} while it was read.`,
      )
    }
    done += bytesRead
  }
  return bytes
}
