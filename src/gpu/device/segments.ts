import { byteWidth, type DType } from '../../core/dtype.js'
import type { PlannedParameter } from '../../ir/plan.js'

/** A part of a parameter's memory: elements [firstElement, firstElement + elementCount) from `byteOffset` of `buffer` on. */
export interface GpuSegment {
  readonly buffer: GPUBuffer
  readonly byteOffset: number
  readonly byteLength: number
  readonly firstElement: number
  readonly elementCount: number
}

/** Segments hold a multiple of this many elements, but for the last: 256 bytes or more in every dtype. */
const SEGMENT_STEP = 256

/** How a parameter too large for one buffer is cut: as few segments as `maxBufferSize` allows, the last one short. */
export function segmentSizes(
  elementCount: number,
  dtype: DType,
  maxBufferSize: number,
): Omit<GpuSegment, 'buffer' | 'byteOffset'>[] {
  const width = byteWidth(dtype)
  const most = Math.floor(maxBufferSize / width / SEGMENT_STEP) * SEGMENT_STEP
  const sizes: Omit<GpuSegment, 'buffer' | 'byteOffset'>[] = []
  for (let firstElement = 0; firstElement < elementCount; firstElement += most) {
    const count = Math.min(most, elementCount - firstElement)
    sizes.push({ firstElement, elementCount: count, byteLength: count * width })
  }
  return sizes
}

/** A parameter's memory as segments: one, unless it is larger than a buffer may be. */
export function segmentsOf(
  { buffer, byteOffset, segments }: GpuRegion,
  { byteLength, elementCount }: PlannedParameter,
): readonly GpuSegment[] {
  return segments ?? [{ buffer, byteOffset, byteLength, firstElement: 0, elementCount }]
}

/** Where a parameter lives: from `byteOffset` of one buffer, or in several segments, the first of which that is. */
export interface GpuRegion {
  readonly buffer: GPUBuffer
  readonly byteOffset: number
  readonly segments?: readonly GpuSegment[]
}
