import type { byteWidth } from '../../core/dtype.js'

/** The part of a buffer that a bind group makes visible to a shader. */
export interface Binding {
  readonly offset: number
  readonly byteLength: number
}

export interface BindingWindow {
  readonly binding: Binding
  /** The window covers elements [start, start + count) of the region. */
  readonly start: number
  readonly count: number
  /** The 32-bit word of the binding in which the first of these elements lies. */
  readonly firstWord: number
}

export interface BindingLimits {
  readonly maxStorageBufferBindingSize: number
  readonly minStorageBufferOffsetAlignment: number
}

const alignDown = (value: number, step: number): number => Math.floor(value / step) * step
export const alignUp = (value: number, step: number): number => Math.ceil(value / step) * step

/**
 * Divides `elementCount` elements at `byteOffset` of a buffer into windows that the device can bind.
 *
 * A buffer within the binding limit is bound whole, so that all its parameters share one bind group. A larger buffer is
 * seen through windows that start at multiples of half the limit, aligned as the device requires. Each window holds a
 * multiple of eight elements, so that only the last one can end inside a group of eight.
 */
export function bindingWindows(
  region: {
    bufferByteLength: number
    byteOffset: number
    elementCount: number
    byteWidth: ReturnType<typeof byteWidth>
  },
  limits: BindingLimits,
): BindingWindow[] {
  const { bufferByteLength, byteOffset, elementCount, byteWidth: width } = region
  const limit = alignDown(limits.maxStorageBufferBindingSize, 4)
  const whole = alignDown(bufferByteLength, 4)
  if (whole <= limit) {
    return [{ binding: { offset: 0, byteLength: whole }, start: 0, count: elementCount, firstWord: byteOffset / 4 }]
  }
  const step = alignDown(limit / 2, limits.minStorageBufferOffsetAlignment)
  const windows: BindingWindow[] = []
  for (let start = 0; start < elementCount; ) {
    const from = byteOffset + start * width
    const offset = alignDown(from, step)
    const byteLength = Math.min(alignDown(limit, 4), whole - offset)
    const room = Math.floor((offset + byteLength - from) / width)
    const left = elementCount - start
    const count = room >= left ? left : alignDown(room, 8)
    windows.push({ binding: { offset, byteLength }, start, count, firstWord: (from - offset) / 4 })
    start += count
  }
  return windows
}
