import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DType } from '../core/dtype.js'
import { refuse, show, showPath, WeightInitError } from '../core/errors.js'
import { validateShape } from '../model/validate.js'
import { dtypeNames } from '../readers/dtype-names.js'
import {
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsBits,
  safetensorsHeaderLength,
} from '../readers/safetensors-header.js'
import { readSafetensorsIndex } from '../readers/safetensors-model.js'
import { isFile } from './paths.js'

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

/** A file of a checkpoint: its tensors, by their places in it. */
interface CheckpointFile {
  readonly path: string
  readonly fileLength: number
  readonly tensors: readonly SafetensorsTensor[]
  readonly metadata: ReadonlyMap<string, string>
  read(tensor: SafetensorsTensor, start: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * A checkpoint open for reading, in any form that this package writes: a .safetensors file, the files of a
 * model.safetensors.index.json, a raw file with its index, a folder of .npy files, or a folder with one of them.
 */
export class CheckpointReader {
  readonly path: string
  /** In the order of the files, and within a file in the order of the bytes. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>
  /** If several files have the same key, the value is that of the first one. */
  readonly metadata: ReadonlyMap<string, string>
  /** The manifests of the files: each is about the tensors of its own. */
  readonly manifests: readonly string[]
  readonly files: readonly CheckpointFile[]
  readonly #byPath: ReadonlyMap<string, CheckpointFile>

  private constructor(path: string, files: readonly CheckpointFile[]) {
    this.path = path
    this.files = files
    this.#byPath = new Map(files.map((file) => [file.path, file]))
    const tensors = new Map<string, CheckpointTensor>()
    const metadata = new Map<string, string>()
    for (const { path: file, tensors: own, metadata: entries } of files) {
      for (const tensor of own) {
        const other = tensors.get(tensor.name)
        if (other !== undefined) {
          throw new WeightInitError(
            'INVALID_FILE',
            `${showPath(path)}: tensor ${show(tensor.name)} is in ${show(other.file)} and in ${show(file)}.`,
          )
        }
        tensors.set(tensor.name, { ...tensor, file })
      }
      for (const [key, value] of entries) if (!metadata.has(key)) metadata.set(key, value)
    }
    this.tensors = tensors
    this.metadata = metadata
    this.manifests = files.flatMap((file) => file.metadata.get('webgpu-init') ?? [])
  }

  /** @throws WeightInitError `IO`; `INVALID_FILE` for an invalid file, or an index that does not match its files */
  static async open(path: string): Promise<CheckpointReader> {
    const found = await locate(path)
    const files: CheckpointFile[] = []
    try {
      if (found.kind === 'safetensors') files.push(await safetensorsFile(found.path))
      else if (found.kind === 'raw') files.push(await rawFile(found.path, found.index))
      else if (found.kind === 'npy') files.push(...(await npyFiles(found.path, found.index)))
      else return await CheckpointReader.#sharded(found.path, files)
      return new CheckpointReader(path, files)
    } catch (error) {
      for (const file of files) await file.close()
      throw error
    }
  }

  static async #sharded(path: string, files: CheckpointFile[]): Promise<CheckpointReader> {
    const text = await readText(path)
    const { weightMap, files: names } = named(path, () => readSafetensorsIndex(text))
    for (const file of names) files.push(await safetensorsFile(join(dirname(path), file)))
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
  }

  /** Bytes [start, start + length) of a tensor. */
  read(name: string, start: number, length: number): Promise<Uint8Array> {
    const tensor = this.tensors.get(name)
    const file = this.#byPath.get(tensor?.file ?? '')
    if (tensor === undefined || file === undefined) {
      throw new WeightInitError('UNKNOWN_PARAMETER', `${showPath(this.path)} has no tensor ${show(name)}.`)
    }
    return file.read(tensor, start, length)
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close()
  }
}

async function safetensorsFile(path: string): Promise<CheckpointFile> {
  const reader = await SafetensorsReader.open(path)
  const { tensors, metadata } = reader.header
  return {
    path,
    fileLength: reader.fileLength,
    tensors,
    metadata,
    read: (tensor, start, length) => reader.read(tensor, start, length),
    close: () => reader.close(),
  }
}

/** What `locate` finds; the index of a form that has one, parsed. */
type Located =
  | { readonly kind: 'safetensors' | 'sharded'; readonly path: string }
  | { readonly kind: 'raw' | 'npy'; readonly path: string; readonly index: TensorIndex }

/** The part of the indices of raw files and .npy folders that is read here. */
interface TensorIndex {
  readonly format?: unknown
  readonly byteLength?: unknown
  readonly tensors?: unknown
  readonly metadata?: unknown
}

const namesInFolder = ['index.json', 'model.safetensors.index.json', 'model.safetensors']

/** Which form a path has: by what is in a folder, by the index beside a raw file, by the keys of JSON. */
async function locate(path: string): Promise<Located> {
  if ((await reading(path, stat(path))).isDirectory()) {
    for (const name of namesInFolder) if (await isFile(join(path, name))) return locate(join(path, name))
    const own = (await reading(path, readdir(path))).filter((name) => name.endsWith('.safetensors'))
    if (own.length === 1) return { kind: 'safetensors', path: join(path, own[0]!) }
    throw new WeightInitError('IO', `The folder ${showPath(path)} holds none of ${namesInFolder.join(', ')}.`)
  }
  if (await isFile(`${path}.json`)) {
    const index = parseIndex(await readText(`${path}.json`))
    if (index?.format === 'webgpu-init-raw') return { kind: 'raw', path, index }
  }
  if (!path.endsWith('.json')) return { kind: 'safetensors', path }
  const index = parseIndex(await readText(path))
  if (index?.format === 'webgpu-init-raw') return { kind: 'raw', path: path.slice(0, -'.json'.length), index }
  if (index?.format === 'webgpu-init-npy') return { kind: 'npy', path: dirname(path), index }
  return { kind: 'sharded', path }
}

/** undefined for text that is no JSON object: who reads it as an index says what is wrong. */
function parseIndex(text: string): TensorIndex | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? json : undefined
  } catch {
    return undefined
  }
}

/** Tensors and metadata of an index, every field checked. */
function readIndex(path: string, { tensors, metadata }: TensorIndex) {
  const fail = refuse('INVALID_FILE', `The index of ${showPath(path)} is broken: `)
  if (!Array.isArray(tensors)) return fail('it lists no tensors.')
  const entries = tensors.map((entry: unknown) => {
    const { name, dtype, shape, file, byteOffset = 0, byteLength } = (entry ?? {}) as Record<string, unknown>
    if (typeof name !== 'string') return fail(`a tensor has the name ${show(name)}.`)
    const { shape: lengths, elementCount } = validateShape(
      shape,
      `The index of ${showPath(path)}: tensor ${show(name)}`,
    )
    const known = typeof dtype === 'string' && Object.hasOwn(dtypeNames, dtype) ? (dtype as DType) : undefined
    const storedDType = known === undefined ? String(dtype) : dtypeNames[known].safetensors
    const bits = Object.hasOwn(safetensorsBits, storedDType) ? safetensorsBits[storedDType]! : Number.NaN
    if (byteLength !== (elementCount * bits) / 8 || !Number.isSafeInteger(byteOffset) || (byteOffset as number) < 0) {
      return fail(`tensor ${show(name)} of ${show(dtype)} ${show(lengths)} cannot have ${show(byteLength)} bytes.`)
    }
    return {
      name,
      file,
      tensor: {
        name,
        storedDType,
        ...(known === undefined ? {} : { dtype: known }),
        shape: lengths,
        byteOffset: byteOffset as number,
        byteLength,
      } satisfies SafetensorsTensor,
    }
  })
  const texts = Object.entries((metadata ?? {}) as Record<string, unknown>)
  return {
    entries,
    metadata: new Map(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
  }
}

/** Opened for every read: a folder may hold more files than a process may have open. */
async function readOnce(path: string, position: number, length: number): Promise<Uint8Array> {
  const handle = await reading(path, open(path, 'r'))
  try {
    return await readAt(path, handle, position, length)
  } finally {
    await handle.close()
  }
}

const nothingOpen = async (): Promise<void> => undefined

async function rawFile(path: string, index: TensorIndex): Promise<CheckpointFile> {
  const { entries, metadata } = readIndex(path, index)
  const { size: fileLength } = await reading(path, stat(path))
  const end = entries.reduce((most, { tensor }) => Math.max(most, tensor.byteOffset + tensor.byteLength), 0)
  if (end > fileLength) {
    throw new WeightInitError('INVALID_FILE', `${showPath(path)} has ${fileLength} bytes, and its index needs ${end}.`)
  }
  return {
    path,
    fileLength,
    tensors: entries.map(({ tensor }) => tensor),
    metadata,
    read: ({ byteOffset }, start, length) => readOnce(path, byteOffset + start, length),
    close: nothingOpen,
  }
}

/** The data of a .npy file end where the file ends: its header need not be read. */
async function npyFiles(folder: string, index: TensorIndex): Promise<CheckpointFile[]> {
  const { entries, metadata } = readIndex(folder, index)
  const files: CheckpointFile[] = []
  for (const { name, file, tensor } of entries) {
    if (typeof file !== 'string' || !/^[A-Za-z0-9._%-]+\.npy$/.test(file)) {
      throw new WeightInitError(
        'INVALID_FILE',
        `The index of ${showPath(folder)}: tensor ${show(name)} has the file ${show(file)}, which is no name of a .npy file.`,
      )
    }
    const path = join(folder, file)
    const { size: fileLength } = await reading(path, stat(path))
    const byteOffset = fileLength - tensor.byteLength
    const start = await readOnce(path, 0, Math.min(6, fileLength))
    if (byteOffset < 10 || String.fromCharCode(...start) !== '\x93NUMPY') {
      throw new WeightInitError('INVALID_FILE', `${showPath(path)} is not the .npy file that the index describes.`)
    }
    files.push({
      path,
      fileLength,
      tensors: [{ ...tensor, byteOffset }],
      metadata: files.length === 0 ? metadata : new Map(),
      read: (_, at, length) => readOnce(path, byteOffset + at, length),
      close: nothingOpen,
    })
  }
  return files
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
