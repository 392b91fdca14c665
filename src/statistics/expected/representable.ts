// The numbers that a floating dtype can hold, in order.

import type { FloatDType } from '../../core/dtype.js'
import { createFloatScratch } from '../../core/float-scratch.js'
import { bfloat16ToNumber, float16ToNumber, float32Bits, float32ToBfloat16, float32ToFloat16 } from '../../core/half.js'

const scratch = /* @__PURE__ */ createFloatScratch()

/** A number's place in the order of the dtype's numbers: neighbours differ by 1, 0 and -0 are both 0. `x` is representable. */
export function ordinal(x: number, dtype: FloatDType): number {
  const bits = float32Bits(Math.abs(x))
  const place = dtype === 'float32' ? bits : dtype === 'float16' ? float32ToFloat16(bits) : bits >>> 16
  return x < 0 ? -place : place
}

/** The number at a place; infinite behind the last finite one. */
export function atOrdinal(place: number, dtype: FloatDType): number {
  const bits = Math.abs(place)
  const sign = place < 0 ? -1 : 1
  if (dtype === 'float16') return sign * float16ToNumber(bits)
  if (dtype === 'bfloat16') return sign * bfloat16ToNumber(bits)
  scratch.bits[0] = bits
  return sign * scratch.float[0]!
}

/** The representable number nearest to `x`, ties to even: as the package stores it. */
export function roundToDType(x: number, dtype: FloatDType): number {
  const f = Math.fround(x)
  if (dtype === 'float32' || !Number.isFinite(f)) return f
  const bits = float32Bits(f)
  return dtype === 'float16' ? float16ToNumber(float32ToFloat16(bits)) : bfloat16ToNumber(float32ToBfloat16(bits))
}

/** Reals from here on round to the representable `x` or to a larger one: half way from its predecessor. */
export function roundingBoundary(x: number, dtype: FloatDType): number {
  return (atOrdinal(ordinal(x, dtype) - 1, dtype) + x) / 2
}
