import type { DType } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { dtypeNames } from '../../readers/dtype-names.js'
import type { PartialFile } from './partial-file.js'

/** Bytes on the host at a time while a tensor is copied. */
const CHUNK_BYTES = 2 ** 24

/** Bytes [start, start + length) of a tensor, little-endian. */
export type ReadTensor = (start: number, length: number) => Promise<Uint8Array>

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes of the tensor that are written so far. */
  readonly onBytes?: (done: number) => void
}

/** A tensor as a format's table lists it. */
export interface StoredTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** As safetensors spells it: 'F32', 'BF16', ... */
  readonly storedDType: string
  /** This package's name for it, where it has one. */
  readonly dtype?: DType
  readonly byteLength: number
}

/** What a header says of an initialised parameter. */
export function storedTensor({ name, shape, dtype, byteLength }: PlannedParameter): StoredTensor {
  return { name, shape, dtype, storedDType: dtypeNames[dtype].safetensors, byteLength }
}

/**
 * Weights on their way into files. Nothing is under a final name before `finish`; `discard` after it, or instead of it,
 * removes what is left.
 */
export interface CheckpointWriter {
  /** The files that there will be, in order. */
  readonly paths: readonly string[]
  /** Streams one of the tensors that were announced. Each must come once, in any order. */
  write(name: string, read: ReadTensor, options?: WriteOptions): Promise<void>
  /** Puts everything under its final name. */
  finish(): Promise<void>
  discard(): Promise<void>
}

/** Where each announced tensor goes, and which are still to come. */
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

/** Copies a tensor into a file, 16 MiB at a time: the next piece is read while one is written. */
export async function copyTensor(
  file: PartialFile,
  position: number,
  byteLength: number,
  read: ReadTensor,
  { signal, onBytes }: WriteOptions = {},
): Promise<void> {
  const readAt = (start: number): Promise<Uint8Array> => {
    const piece = read(start, Math.min(CHUNK_BYTES, byteLength - start))
    // Awaited below; without a handler a failure in the meantime would end the process.
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
