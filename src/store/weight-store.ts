import type { PlannedParameter } from '../ir/plan.js'
import type { MeasuredTensor } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import type { Repeats } from '../statistics/repeats.js'

export interface MeasureOptions {
  /** Whether to look for copies. */
  readonly repeats: boolean
  readonly signal?: AbortSignal
}

/** The storage of an initialised model's weights. The two backends differ only in how they implement it. */
export interface WeightStore {
  readonly backend: 'webgpu' | 'cpu'
  /** Only on the 'webgpu' backend. */
  readonly device?: GPUDevice
  /** The buffer and offset of a parameter that is initialised. */
  region(name: string): {
    readonly buffer: GPUBuffer | ArrayBuffer
    readonly byteOffset: number
    /** Only if the parameter is stored in several pieces. */
    readonly segments?: readonly ParameterSegment[]
  }
  /** Returns bytes [start, start + length) of a parameter in a new array; start must be a multiple of 4. */
  readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array>
  /** @param byteLength the length of the longest range that will be read */
  reader(byteLength: number): RangeReader
  /** Measures each run of each tensor and, if requested, looks for copies among the tensors. */
  measure(
    tensors: readonly MeasuredTensor[],
    options: MeasureOptions,
  ): Promise<{ measurements: Measurement[][]; repeats: Repeats }>
  /**
   * max |Q^T Q / gain^2 - I| of the stored matrices, of a parameter with an orthogonal distribution that is no part; NaN for
   * elements that are not finite.
   */
  orthogonalityError(parameter: PlannedParameter, signal?: AbortSignal): Promise<number>
  /**
   * Makes the matrices of an orthogonal distribution again, on the same device, and shows what is stored beside them, in
   * order. Gives max |Q^T Q / gain^2 - I| of those that were made, float32.
   */
  makeOrthogonalAgain(parameter: PlannedParameter, look: LookAtBoth, signal?: AbortSignal): Promise<number>
  destroy(): void
}

/** Reads ranges one after another through reused memory: the next range is transferred while the last one is processed. */
export interface RangeReader {
  /**
   * Begins to read bytes [start, start + length) of a parameter; start must be a multiple of 4. At most two ranges may be
   * pending: the first one must be taken before a third one begins.
   */
  begin(parameter: PlannedParameter, start: number, length: number): PendingRange
  /** Frees the memory, even if there are ranges that were not taken. */
  destroy(): void
}

/** Calls `look` with the bytes as soon as they have arrived. The bytes are valid only while `look` runs. */
export type PendingRange = (look: (bytes: Uint8Array) => void) => Promise<void>

/** @param first index of the first element of both */
export type LookAtBoth = (stored: Uint8Array, made: Uint8Array, first: number) => void

/** Elements [firstElement, firstElement + elementCount) of a parameter, at `byteOffset` of `buffer`. */
export interface ParameterSegment {
  readonly buffer: GPUBuffer | ArrayBuffer
  readonly byteOffset: number
  readonly byteLength: number
  readonly firstElement: number
  readonly elementCount: number
}
