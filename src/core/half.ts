// CPU reference of shaders/store/float16.wgsl and bfloat16.wgsl, and the way back.

import { createFloatScratch } from './float-scratch.js'

const scratch = /* @__PURE__ */ createFloatScratch()

/** float32 bits -> binary16 bits, round to nearest, ties to even; finite input. Exact. */
export function float32ToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13)
  }
  const exponent = magnitude >>> 23
  if (exponent < 102) return sign
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const drop = 126 - exponent
  const half = 1 << (drop - 1)
  return sign | ((mantissa + (half - 1) + ((mantissa >>> drop) & 1)) >>> drop)
}

/** float32 bits -> bfloat16 bits, round to nearest, ties to even; finite input. Exact. */
export function float32ToBfloat16(bits: number): number {
  return ((bits >>> 0) + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

/** binary16 bits -> the number they stand for, infinities and NaN included. Exact. */
export function float16ToNumber(half: number): number {
  const magnitude = half & 0x7fff
  if (magnitude > 0x7c00) return Number.NaN
  const { float, bits } = scratch
  // A float32 whose exponent is short by 112, subnormals included; an infinity is one of its numbers.
  bits[0] = magnitude << 13
  const value = magnitude === 0x7c00 ? Number.POSITIVE_INFINITY : float[0]! * 2 ** 112
  return (half & 0x8000) === 0 ? value : -value
}

/** bfloat16 bits -> the number they stand for. Exact. */
export function bfloat16ToNumber(half: number): number {
  return float32FromBits(half << 16)
}

/** The float32 with these bits. */
export function float32FromBits(word: number): number {
  const { float, bits } = scratch
  bits[0] = word
  return float[0] ?? 0
}

/** Bits of the float32 nearest to `value`. */
export function float32Bits(value: number): number {
  const { float, bits } = scratch
  float[0] = value
  return bits[0] ?? 0
}
