import { byteWidth } from '../../core/dtype.js'
import type { FillJob } from '../../ir/job.js'
import type { GpuSegment } from '../device/segments.js'

/** A job, and the byte of the buffer at which its elements begin. */
export interface PlacedJob {
  readonly job: FillJob
  readonly byteOffset: number
  /** Whether the job shares dispatches with other small jobs in the same buffer. */
  readonly sharing?: boolean
}

/** A job and the buffer for its elements. */
export interface FillTarget extends PlacedJob {
  readonly buffer: GPUBuffer
  /** Whether the source's elements are already there, so that only the patches are written. */
  readonly filled?: boolean
}

/** One target per segment of the job's parameter. */
export function targetsOf(job: FillJob, segments: readonly GpuSegment[], sharing: boolean): FillTarget[] {
  return segments.map(({ buffer, byteOffset, firstElement, elementCount }) => ({
    job: segments.length === 1 ? job : { ...job, firstElement: job.firstElement + firstElement, elementCount },
    buffer,
    byteOffset,
    sharing,
  }))
}

export const byteLengthOf = ({ job }: PlacedJob): number => job.elementCount * byteWidth(job.dtype)
