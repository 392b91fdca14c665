import type { DType } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { dtypeNames } from '../../readers/dtype-names.js'
import type { PartialFile } from './partial-file.js'

/** The number of bytes that are copied at a time. */
const CHUNK_BYTES = 2 ** 24

/** Reads bytes [start, start + length) of a tensor, little-endian. */
export type ReadTensor = (start: number, length: number) => Promise<Uint8Array>

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the number of bytes of the tensor that are written so far. */
  readonly onBytes?: (done: number) => void
}

/** A tensor as it is described in a file's header or index. */
export interface StoredTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** The dtype as safetensors spells it: 'F32', 'BF16', ... */
  readonly storedDType: string
  /** The dtype in this package's terms. Absent for dtypes that it does not have. */
  readonly dtype?: DType
  readonly byteLength: number
}

/** The description of an initialised parameter. */
export function storedTensor({ name, shape, dtype, byteLength }: PlannedParameter): StoredTensor {
  return { name, shape, dtype, storedDType: dtypeNames[dtype].safetensors, byteLength }
}

/**
 * Writes tensors to files. No file has its final name before `finish`. `discard`, after `finish` or instead of it, removes
 * all files that are not complete.
 */
export interface CheckpointWriter {
  /** The paths of the files to be written, in order. */
  readonly paths: readonly string[]
  /** Streams one of the announced tensors. Each must be written exactly once, in any order. */
  write(name: string, read: ReadTensor, options?: WriteOptions): Promise<void>
  /** Gives every file its final name. */
  finish(): Promise<void>
  discard(): Promise<void>
}

/** The place of each announced tensor. A tensor is removed when it is written. */
export class Places<T extends { readonly byteLength: number }> {
  readonly #waiting: Map<string, T>

  constructor(places: Iterable<readonly [name: string, place: T]>) {
    this.#waiting = new Map(places)
  }

  take(name: string): T {
    const place = this.#waiting.get(name)
    if (place === undefined) {
      throw new WeightInitError('UNKNOWN_PARAMETER', `Tensor ${show(name)} was not announced, or is already written.`)
    }
    this.#waiting.delete(name)
    return place
  }

  requireNone(): void {
    const [name] = this.#waiting.keys()
    if (name !== undefined) {
      throw new WeightInitError(
        'INVALID_ARGUMENT',
        `Tensor ${show(name)} and ${this.#waiting.size - 1} others were announced but not written.`,
      )
    }
  }
}

/** Copies a tensor into a file, 16 MiB at a time. While one piece is written, the next one is read. */
export async function copyTensor(
  file: PartialFile,
  position: number,
  byteLength: number,
  read: ReadTensor,
  { signal, onBytes }: WriteOptions = {},
): Promise<void> {
  const readAt = (start: number): Promise<Uint8Array> => {
    const piece = read(start, Math.min(CHUNK_BYTES, byteLength - start))
    // The promise is awaited below. Without this handler, a failure before that would end the process.
    piece.catch(() => {})
    return piece
  }
  let coming = byteLength > 0 ? readAt(0) : undefined
  for (let start = 0; coming !== undefined; ) {
    signal?.throwIfAborted()
    const bytes = await coming
    const next = start + bytes.length
    coming = next < byteLength ? readAt(next) : undefined
    await file.writeAt(bytes, position + start)
    start = next
    onBytes?.(start)
  }
  signal?.throwIfAborted()
}
