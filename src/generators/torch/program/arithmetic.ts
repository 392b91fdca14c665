// PyTorch's arithmetic on the elements of an array of a dtype.

import { OutOfMemoryError } from '../../../core/errors.js'
import {
  bfloat16ToNumber,
  float16ToNumber,
  float32Bits,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../../core/half.js'
import type { ArrayDType, Region } from './types.js'

export type Elements = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

const isHalf = (dtype: ArrayDType): boolean => dtype === 'float16' || dtype === 'bfloat16'
export const isNarrow = (dtype: ArrayDType): boolean => dtype === 'float32' || isHalf(dtype)
export const isFloating = (dtype: ArrayDType): boolean => dtype === 'float64' || isNarrow(dtype)

const half =
  (toBits: (bits: number) => number, toNumber: (half: number) => number) =>
  (x: number): number =>
    Number.isNaN(x) ? x : toNumber(toBits(float32Bits(x)))

const roundings: Readonly<Record<ArrayDType, (x: number) => number>> = {
  float64: (x) => x,
  float32: Math.fround,
  float16: /* @__PURE__ */ half(float32ToFloat16, float16ToNumber),
  bfloat16: /* @__PURE__ */ half(float32ToBfloat16, bfloat16ToNumber),
  int64: Math.trunc,
  int32: (x) => Math.trunc(x) | 0,
  int16: (x) => (Math.trunc(x) << 16) >> 16,
  int8: (x) => (Math.trunc(x) << 24) >> 24,
  uint8: (x) => Math.trunc(x) & 255,
  bool: (x) => Number(x !== 0),
}

/**
 * How a number becomes an element of a dtype: rounded to nearest, ties to even. A float64 becomes a half by way of float32,
 * as in PyTorch.
 */
export const rounding = (dtype: ArrayDType): ((x: number) => number) => roundings[dtype]

/** The rounding of what is computed with the dtype: halves are computed in float32. */
export const opmath = (dtype: ArrayDType): ((x: number) => number) => (isNarrow(dtype) ? Math.fround : (x) => x)

/**
 * An array that holds elements of all of these dtypes exactly.
 * @throws OutOfMemoryError
 */
export function arrayFor(dtypes: readonly ArrayDType[], count: number): Elements {
  try {
    return dtypes.every(isNarrow) ? new Float32Array(count) : new Float64Array(count)
  } catch (cause) {
    throw new OutOfMemoryError(`${count} elements of a recorded tensor could not be allocated on the host.`, { cause })
  }
}

/** Calls `visit` with the memory index of every element of a region, in row-major order. */
export function visitRegion(
  { offset, shape, strides }: Region,
  visit: (index: number, position: number) => void,
): void {
  const axes = shape.map((length, axis) => ({ length, stride: strides[axis]! })).filter(({ length }) => length !== 1)
  const inner = axes.pop() ?? { length: 1, stride: 0 }
  const digits = axes.map(() => 0)
  let start = offset
  let position = 0
  for (;;) {
    for (let i = 0; i < inner.length; i++) visit(start + i * inner.stride, position++)
    let axis = axes.length - 1
    for (; axis >= 0; axis--) {
      start += axes[axis]!.stride
      if (++digits[axis]! < axes[axis]!.length) break
      start -= axes[axis]!.length * axes[axis]!.stride
      digits[axis] = 0
    }
    if (axis < 0) return
  }
}
