import { type FileHandle, open } from 'node:fs/promises'
import { showPath, WeightInitError } from '../core/errors.js'
import {
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsHeaderLength,
} from '../readers/safetensors-header.js'

/** A .safetensors file that is open for reading: its header, and the bytes of its tensors on demand. */
export class Checkpoint {
  readonly path: string
  readonly header: SafetensorsHeader
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  readonly #handle: FileHandle

  private constructor(path: string, header: SafetensorsHeader, handle: FileHandle) {
    this.path = path
    this.header = header
    this.tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]))
    this.#handle = handle
  }

  /** @throws WeightInitError `IO`; `INVALID_FILE` for a file that is truncated or has another format */
  static async open(path: string): Promise<Checkpoint> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path, 'r')
      const { size } = await handle.stat()
      const start = await readAt(handle, 0, Math.min(8, size))
      const header = parseSafetensorsHeader(await readAt(handle, 0, safetensorsHeaderLength(start, size)), size)
      return new Checkpoint(path, header, handle)
    } catch (cause) {
      await handle?.close()
      const { message } = cause as Error
      if (cause instanceof WeightInitError)
        throw new WeightInitError(cause.code, `${showPath(path)}: ${message}`, { cause })
      throw new WeightInitError('IO', `Cannot read ${showPath(path)}: ${message}.`, { cause })
    }
  }

  /** Bytes [start, start + length) of a tensor. */
  async read(name: string, start: number, length: number): Promise<Uint8Array> {
    try {
      return await readAt(this.#handle, this.tensors.get(name)!.byteOffset + start, length)
    } catch (cause) {
      throw new WeightInitError('IO', `Reading ${showPath(this.path)} failed: ${(cause as Error).message}.`, { cause })
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + done}`)
    done += bytesRead
  }
  return bytes
}
