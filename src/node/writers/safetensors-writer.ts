import { rm } from 'node:fs/promises'
import { layoutSafetensors } from '../../readers/safetensors.js'
import {
  type CheckpointWriter,
  copyTensor,
  Places,
  type ReadTensor,
  type StoredTensor,
  type WriteOptions,
} from './checkpoint-writer.js'
import { io, PartialFile } from './partial-file.js'

/** The content of one .safetensors file: its tensors, in the order of their bytes, and its metadata. */
export interface SafetensorsFilePlan {
  readonly path: string
  readonly tensors: readonly StoredTensor[]
  readonly metadata: Readonly<Record<string, string>>
}

interface Place {
  readonly file: PartialFile
  readonly position: number
  readonly byteLength: number
}

/** Writes one .safetensors file, or the files of a sharded checkpoint and their index. */
export class SafetensorsWriter implements CheckpointWriter {
  readonly paths: readonly string[]
  readonly #files: readonly PartialFile[]
  readonly #places: Places<Place>

  private constructor(files: readonly PartialFile[], paths: readonly string[], places: Places<Place>) {
    this.#files = files
    this.paths = paths
    this.#places = places
  }

  /**
   * Opens every file at once, and writes the headers and the index.
   * @param index the index file and its text; it gets its final name after the files that it lists
   * @throws WeightInitError `IO`, or what `layoutSafetensors` throws; then no file is left
   */
  static async create(
    files: readonly SafetensorsFilePlan[],
    index?: { readonly path: string; readonly text: string },
    force = false,
  ): Promise<SafetensorsWriter> {
    const layouts = files.map(({ tensors, metadata }) => layoutSafetensors(tensors, metadata))
    const opened: PartialFile[] = []
    try {
      const places: [string, Place][] = []
      for (const [which, { path, tensors }] of files.entries()) {
        const file = await PartialFile.create(path, { kind: 'safetensors', force })
        opened.push(file)
        const { header, offsets } = layouts[which]!
        await file.writeAt(header, 0)
        tensors.forEach(({ name, byteLength }, i) => {
          places.push([name, { file, position: offsets[i]!, byteLength }])
        })
      }
      if (index !== undefined) {
        const file = await PartialFile.create(index.path, { kind: 'index', force })
        opened.push(file)
        await file.writeAt(new TextEncoder().encode(index.text), 0)
      }
      const paths = [...files.map(({ path }) => path), ...(index === undefined ? [] : [index.path])]
      return new SafetensorsWriter(opened, paths, new Places(places))
    } catch (error) {
      for (const file of opened) await file.discard()
      throw error
    }
  }

  async write(name: string, read: ReadTensor, options?: WriteOptions): Promise<void> {
    const { file, position, byteLength } = this.#places.take(name)
    await copyTensor(file, position, byteLength, read, options)
  }

  async finish(): Promise<void> {
    this.#places.requireNone()
    // All files must be on disk before the first one gets its final name.
    for (const file of this.#files) await file.seal()
    const named: PartialFile[] = []
    try {
      for (const file of this.#files) {
        await file.commit()
        named.push(file)
      }
    } catch (error) {
      for (const { path } of named) await io(path, rm(path, { force: true }))
      throw error
    }
  }

  async discard(): Promise<void> {
    for (const file of this.#files) await file.discard()
  }
}
