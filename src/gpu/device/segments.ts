import { byteWidth, type DType } from '../../core/dtype.js'
import type { Region, Segment } from '../../fill/regions.js'

export type GpuSegment = Segment<GPUBuffer>
export type GpuRegion = Region<GPUBuffer>

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
