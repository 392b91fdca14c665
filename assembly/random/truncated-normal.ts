// WebAssembly version of src/random/truncated-normal.ts, four words at a time.

import { inverseNormalTail } from './inverse-normal'

/** start + floor(mass word / 2^32) of two words, in 64 bits, from their products with the two halves of `mass`. */
// @ts-ignore: decorator
@inline
function quantile(withLow: v128, withHigh: v128, start: v128): v128 {
  return i64x2.add(i64x2.add(withHigh, i64x2.shr_u(withLow, 32)), start)
}

/** The 64-bit integers (high, low) times 2^-64, with three roundings in this order. */
// @ts-ignore: decorator
@inline
function fixed64ToFloat(high: v128, low: v128): v128 {
  const top = f32x4.mul(f32x4.convert_i32x4_u(high), f32x4.splat(2.3283064365386963e-10))
  return f32x4.add(top, f32x4.mul(f32x4.convert_i32x4_u(low), f32x4.splat(5.421010862427522e-20)))
}

/** 1 - 2 p for two probabilities p = integer 2^-64 2^-shift <= 1/2, each rounded once, in the lower two lanes. */
// @ts-ignore: decorator
@inline
function distanceToHalf(integer: v128, shift: u32): v128 {
  const distance = i64x2.sub(i64x2.splat(0x8000000000000000), i64x2.shr_u(integer, shift))
  // A float64 has 53 bits. All bits below them are combined into one, so that the rounding to float32 is correct.
  const rest = i64x2.ne(v128.and(distance, i64x2.splat(0x7ff)), i64x2.splat(0))
  const shortened = v128.or(v128.andnot(distance, i64x2.splat(0x7ff)), v128.and(rest, i64x2.splat(0x800)))
  const long = i64x2.ne(i64x2.shr_u(distance, 53), i64x2.splat(0))
  const kept = v128.bitselect(shortened, distance, long)
  const top = f64x2.convert_low_i32x4_u(v128.shuffle<u32>(kept, kept, 1, 3, 1, 3))
  const bottom = f64x2.convert_low_i32x4_u(v128.shuffle<u32>(kept, kept, 0, 2, 0, 2))
  const whole = f64x2.add(f64x2.mul(top, f64x2.splat(4294967296)), bottom)
  return f32x4.demote_f64x2_zero(f64x2.mul(whole, f64x2.splat(1.0842021724855044e-19)))
}

/**
 * Replaces the first `count` words of the memory (rounded up to a multiple of four) by truncated normal values. The TypeScript
 * version is `truncatedNormalValue`, whose constants have the same order.
 */
export function truncatedNormal(
  count: u32,
  startLow: u32,
  startHigh: u32,
  massLow: u32,
  massHigh: u32,
  upperBit: u32,
  scale: f32,
  signedStd: f32,
  mean: f32,
  low: f32,
  high: f32,
  shift: u32,
): void {
  const start = i64x2.splat(((startHigh as u64) << 32) | (startLow as u64))
  const end: usize = count << 2
  for (let at: usize = 0; at < end; at += 16) {
    const word = v128.load(at)
    const first = quantile(
      i64x2.extmul_low_i32x4_u(word, i32x4.splat(massLow)),
      i64x2.extmul_low_i32x4_u(word, i32x4.splat(massHigh)),
      start,
    )
    const second = quantile(
      i64x2.extmul_high_i32x4_u(word, i32x4.splat(massLow)),
      i64x2.extmul_high_i32x4_u(word, i32x4.splat(massHigh)),
      start,
    )
    const above = v128.shuffle<u32>(first, second, 1, 3, 5, 7)
    const below = v128.shuffle<u32>(first, second, 0, 2, 4, 6)
    // upperBit is the sign bit or 0.
    const upper = i32x4.shr_s(v128.and(above, i32x4.splat(upperBit)), 31)
    const q = f32x4.mul(fixed64ToFloat(v128.xor(above, upper), v128.xor(below, upper)), f32x4.splat(scale))
    // Both halves of each 64-bit integer get the same mask.
    const firstDistance = distanceToHalf(v128.xor(first, v128.shuffle<u32>(upper, upper, 0, 0, 1, 1)), shift)
    const secondDistance = distanceToHalf(v128.xor(second, v128.shuffle<u32>(upper, upper, 2, 2, 3, 3)), shift)
    const distance = v128.shuffle<u32>(firstDistance, secondDistance, 0, 1, 4, 5)
    const sign = v128.andnot(i32x4.splat(0x80000000), upper)
    const z = v128.xor(inverseNormalTail(q, distance), sign)
    const value = f32x4.add(f32x4.mul(z, f32x4.splat(signedStd)), f32x4.splat(mean))
    v128.store(at, f32x4.min(f32x4.max(value, f32x4.splat(low)), f32x4.splat(high)))
  }
}
