import {
  type CheckpointWriter,
  copyTensor,
  Places,
  type ReadTensor,
  type StoredTensor,
  type WriteOptions,
} from './checkpoint-writer.js'
import { PartialFile } from './partial-file.js'

/** Tensors begin at multiples of this: WebGPU's largest binding alignment, so that the whole file can be used as one buffer. */
const ALIGNMENT = 256

/** The content of the index beside a raw file, `<path>.json`. */
export interface RawIndex {
  readonly format: 'webgpu-init-raw'
  readonly version: 1
  readonly byteOrder: 'little'
  /** The length of the raw file in bytes. */
  readonly byteLength: number
  readonly tensors: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly byteOffset: number
    readonly byteLength: number
  }[]
  readonly metadata: Readonly<Record<string, string>>
}

/** One file with the bytes of the tensors (little-endian, row-major, each at a multiple of 256 bytes), and a JSON index. */
export class RawWriter implements CheckpointWriter {
  readonly paths: readonly string[]
  readonly #files: readonly [data: PartialFile, index: PartialFile]
  readonly #places: Places<{ readonly byteOffset: number; readonly byteLength: number }>

  private constructor(path: string, files: readonly [PartialFile, PartialFile], index: RawIndex) {
    this.paths = [path, `${path}.json`]
    this.#files = files
    this.#places = new Places(index.tensors.map((tensor) => [tensor.name, tensor] as const))
  }

  /** @throws WeightInitError `IO`; then no file is left */
  static async create(
    path: string,
    tensors: readonly StoredTensor[],
    metadata: Readonly<Record<string, string>>,
    force = false,
  ): Promise<RawWriter> {
    let at = 0
    const listed = tensors.map(({ name, shape, dtype, storedDType, byteLength }) => {
      const byteOffset = Math.ceil(at / ALIGNMENT) * ALIGNMENT
      at = byteOffset + byteLength
      return { name, dtype: dtype ?? storedDType, shape, byteOffset, byteLength }
    })
    // The length is a multiple of four bytes, as the length of a WebGPU buffer must be.
    const byteLength = Math.ceil(at / 4) * 4
    const index: RawIndex = {
      format: 'webgpu-init-raw',
      version: 1,
      byteOrder: 'little',
      byteLength,
      tensors: listed,
      metadata,
    }
    const data = await PartialFile.create(path, { kind: 'raw', force })
    let beside: PartialFile | undefined
    try {
      beside = await PartialFile.create(`${path}.json`, { kind: 'raw index', force })
      await beside.writeAt(new TextEncoder().encode(`${JSON.stringify(index, null, 1)}\n`), 0)
      if (byteLength > 0) await data.writeAt(new Uint8Array(1), byteLength - 1)
      return new RawWriter(path, [data, beside], index)
    } catch (error) {
      await data.discard()
      await beside?.discard()
      throw error
    }
  }

  async write(name: string, read: ReadTensor, options?: WriteOptions): Promise<void> {
    const { byteOffset, byteLength } = this.#places.take(name)
    await copyTensor(this.#files[0], byteOffset, byteLength, read, options)
  }

  async finish(): Promise<void> {
    this.#places.requireNone()
    for (const file of this.#files) await file.seal()
    // The index gets its name last, so that whoever finds the index also finds the data.
    for (const file of this.#files) await file.commit()
  }

  async discard(): Promise<void> {
    for (const file of this.#files) await file.discard()
  }
}
