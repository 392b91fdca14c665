import type { FillJob } from '../../ir/job.js'

/** A job and where in a buffer its elements begin. */
export interface PlacedJob {
  readonly job: FillJob
  readonly byteOffset: number
  /** Whether it shares dispatches with other small jobs of its buffer. */
  readonly sharing?: boolean
}

/** A job and the place for its elements. */
export interface FillTarget extends PlacedJob {
  readonly buffer: GPUBuffer
}
