import { byteWidth, type DType } from '../../core/dtype.js'
import type { Region, Segment } from '../../fill/regions.js'

export type GpuSegment = Segment<GPUBuffer>
export type GpuRegion = Region<GPUBuffer>

/** Every segment but the last holds a multiple of this many elements, which is at least 256 bytes in every dtype. */
const SEGMENT_STEP = 256

/**
 * Divides a parameter that is too large for one buffer into as few segments as `maxBufferSize` allows. All segments have
 * the same length, except that the last one may be shorter.
 */
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
