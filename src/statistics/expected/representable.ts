// The numbers that a floating dtype can hold, in order.

import { type FloatDType, floatFormats } from '../../core/dtype.js'
import { float32Bits } from '../../core/half.js'

/** A number's place in the order of the dtype's numbers: neighbours differ by 1, 0 and -0 are both 0. `x` is representable. */
export function ordinal(x: number, dtype: FloatDType): number {
  const place = floatFormats[dtype].encode(float32Bits(Math.abs(x)))
  return x < 0 ? -place : place
}

/** The number at a place; infinite behind the last finite one. */
export function atOrdinal(place: number, dtype: FloatDType): number {
  const { decode, largest } = floatFormats[dtype]
  const magnitude = Math.abs(place) > ordinal(largest, dtype) ? Number.POSITIVE_INFINITY : decode(Math.abs(place))
  return place < 0 ? -magnitude : magnitude
}

/** Reals from here on round to the representable `x` or to a larger one: half way from its predecessor. */
export function roundingBoundary(x: number, dtype: FloatDType): number {
  return (atOrdinal(ordinal(x, dtype) - 1, dtype) + x) / 2
}

/** The largest relative rounding error of numbers in the dtype's normal range, and the largest absolute one below it. */
export function roundingErrors(dtype: FloatDType): { readonly relative: number; readonly absolute: number } {
  return { relative: (atOrdinal(ordinal(1, dtype) + 1, dtype) - 1) / 2, absolute: atOrdinal(1, dtype) / 2 }
}
