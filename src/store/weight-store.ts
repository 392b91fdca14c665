import type { FloatDType } from '../core/dtype.js'
import type { PlannedParameter } from '../ir/plan.js'
import type { MeasuredTensor } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import type { Repeats } from '../statistics/repeats.js'

export interface MeasureOptions {
  /** Whether to look for copies. */
  readonly repeats: boolean
  readonly signal?: AbortSignal
}

/** Where the weights of a result are: the one thing that differs between the backends. */
export interface WeightStore {
  readonly backend: 'webgpu' | 'cpu'
  /** Only on the 'webgpu' backend. */
  readonly device?: GPUDevice
  /** Buffer and offset of a parameter that is initialised. */
  region(name: string): {
    readonly buffer: GPUBuffer | ArrayBuffer
    readonly byteOffset: number
    /** Only where it is in several buffers. */
    readonly segments?: readonly ParameterSegment[]
  }
  /** Bytes [start, start + length) of a parameter, in a new array; start is a multiple of 4. */
  readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array>
  /** @param byteLength of the longest range */
  reader(byteLength: number): RangeReader
  /** A measurement per run of each tensor; and, where wanted, the copies among them. */
  measure(
    tensors: readonly MeasuredTensor[],
    options: MeasureOptions,
  ): Promise<{ measurements: Measurement[][]; repeats: Repeats }>
  /**
   * max |Q^T Q / gain^2 - I| of the matrices that are held, of a parameter with an orthogonal distribution that is no part; NaN for
   * elements that are not finite.
   */
  orthogonalityError(parameter: PlannedParameter): Promise<number>
  /** What `verify` looks at where a distribution is not compared with the CPU bit by bit. */
  checkOrthogonal(parameter: PlannedParameter, signal?: AbortSignal): Promise<OrthogonalCheck>
  destroy(): void
}

/** Reads ranges one after another through memory that is kept, the next one on its way while the last one is looked at. */
export interface RangeReader {
  /**
   * Begins to read bytes [start, start + length) of a parameter; start is a multiple of 4. Of two ranges that are begun the
   * first has to be taken before a third.
   */
  begin(parameter: PlannedParameter, start: number, length: number): PendingRange
  /** Also of ranges that were not taken. */
  destroy(): void
}

/** Shows the bytes once they are there, for as long as `look` runs. */
export type PendingRange = (look: (bytes: Uint8Array) => void) => Promise<void>

export interface OrthogonalCheck {
  /**
   * max |Q^T Q / gain^2 - I| of the matrices that are held; of a part, a tensor in several buffers
   * or a delta-orthogonal, of the whole matrices, made again here. NaN for elements that are not finite.
   */
  readonly orthogonalityError: number
  /** Of the matrices that were measured: the parameter's, or float32 where they were made again. */
  readonly dtype: FloatDType
  /** Where the matrices were made again: elements held that differ from them in any bit, and the first of them. */
  readonly mismatchCount: number
  readonly firstMismatch?: number
  readonly largestUlpDistance?: number
}

/** Elements [firstElement, firstElement + elementCount) of a parameter, at `byteOffset` of `buffer`. */
export interface ParameterSegment {
  readonly buffer: GPUBuffer | ArrayBuffer
  readonly byteOffset: number
  readonly byteLength: number
  readonly firstElement: number
  readonly elementCount: number
}
