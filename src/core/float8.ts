// CPU reference of shaders/store/float8_e4m3fn.wgsl and float8_e5m2.wgsl, and the way back. The formats of Micikevicius et al.,
// "FP8 formats for deep learning", 2022, rounded as PyTorch 2.13 rounds.

import { createFloatScratch } from './float-scratch.js'

const scratch = /* @__PURE__ */ createFloatScratch()

/**
 * float32 magnitude bits -> the bits of the nearest number of a narrower format, ties to even, as if its exponents had no end.
 * @param rebias the difference of the two exponent biases
 * @param dropped fraction bits of float32 that the format does not have
 */
function nearest(magnitude: number, rebias: number, dropped: number): number {
  const exponent = magnitude >>> 23
  if (exponent > rebias) {
    const rebased = magnitude - (rebias << 23)
    return (rebased + ((1 << (dropped - 1)) - 1) + ((rebased >>> dropped) & 1)) >>> dropped
  }
  // A subnormal number of the format: more bits go. From 25 on nothing is left of the significand's 24.
  const drop = Math.min(dropped + rebias + 1 - exponent, 25)
  const significand = (magnitude & 0x7fffff) | 0x800000
  return (significand + ((1 << (drop - 1)) - 1) + ((significand >>> drop) & 1)) >>> drop
}

/**
 * float32 bits -> float8_e4m3fn bits (4 exponent bits, 3 fraction bits, no infinity), round to nearest, ties to even. Larger
 * magnitudes, infinity too, become the largest, 448, as in PyTorch 2.13; NaN becomes 0x7f. Exact.
 */
export function float32ToFloat8E4M3(bits: number): number {
  const magnitude = bits & 0x7fffffff
  const sign = (bits >>> 24) & 0x80
  return sign | (magnitude > 0x7f800000 ? 0x7f : Math.min(nearest(magnitude, 120, 20), 0x7e))
}

/**
 * float32 bits -> float8_e5m2 bits (5 exponent bits, 2 fraction bits), round to nearest, ties to even; from 61440 on infinity,
 * as in PyTorch; NaN becomes 0x7f. Exact.
 */
export function float32ToFloat8E5M2(bits: number): number {
  const magnitude = bits & 0x7fffffff
  const sign = (bits >>> 24) & 0x80
  return sign | (magnitude > 0x7f800000 ? 0x7f : Math.min(nearest(magnitude, 112, 21), 0x7c))
}

/** Magnitude bits moved to their place in a float32, whose exponent is then short by `rebias`. Subnormal numbers included. */
function widened(magnitude: number, rebias: number, dropped: number): number {
  const { float, bits } = scratch
  bits[0] = magnitude << dropped
  return float[0]! * 2 ** rebias
}

/** float8_e4m3fn bits -> the number they stand for; 0x7f and 0xff are NaN. Exact. */
export function float8E4M3ToNumber(byte: number): number {
  const magnitude = byte & 0x7f
  const value = magnitude === 0x7f ? Number.NaN : widened(magnitude, 120, 20)
  return (byte & 0x80) === 0 ? value : -value
}

/** float8_e5m2 bits -> the number they stand for, infinities and NaN included. Exact. */
export function float8E5M2ToNumber(byte: number): number {
  const magnitude = byte & 0x7f
  if (magnitude > 0x7c) return Number.NaN
  const value = magnitude === 0x7c ? Number.POSITIVE_INFINITY : widened(magnitude, 112, 21)
  return (byte & 0x80) === 0 ? value : -value
}
