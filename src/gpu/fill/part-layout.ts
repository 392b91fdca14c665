import type { PartGeometry } from '../../ir/part.js'
import { partDigits } from '../../plan/parts/geometry.js'

/** Byte offsets of `Part` and `PartAxis` in shaders/core/part.wgsl. */
export const partLayout = {
  firstElement: 0,
  axisCount: 8,
  axes: 16,
  axis: { length: 0, digit: 4, stride: 8, room: 16, begin: 24, byteLength: 32 },
  byteLength: 272,
} as const

/** The longest axis along which the shader divides in 32 bits: with the 2^31 elements of a window added, indices still fit. */
const LONGEST_DIVIDED = 2 ** 31

/** Writes the uniform block of a window that starts at element `first` of the part. */
export function packPart(view: DataView, at: number, part: PartGeometry, first: number): void {
  const u32 = (offset: number, value: number): void => view.setUint32(at + offset, value, true)
  const u64 = (offset: number, value: number): void => view.setBigUint64(at + offset, BigInt(value), true)
  const digits = partDigits(part, first)
  u64(partLayout.firstElement, part.firstElement)
  u32(partLayout.axisCount, part.axes.length)
  part.axes.forEach(({ length, stride }, index) => {
    const base = partLayout.axes + index * partLayout.axis.byteLength
    const digit = digits[index]!
    u64(base + partLayout.axis.stride, stride)
    // The outermost axis never wraps, so its length does not matter.
    if (length <= LONGEST_DIVIDED && index < part.axes.length - 1) {
      u32(base + partLayout.axis.length, length)
      u32(base + partLayout.axis.digit, digit)
    } else {
      u32(base + partLayout.axis.room, Math.min(length - digit, 2 ** 32 - 1))
      u64(base + partLayout.axis.begin, digit * stride)
    }
  })
}
