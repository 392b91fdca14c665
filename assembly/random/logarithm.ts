// WebAssembly version of src/random/logarithm.ts, four lanes at a time. Each f32x4 operation is rounded, because WebAssembly never
// fuses operations.

const LOG_0: f32 = 1.999999761581421
const LOG_1: f32 = 1.0000687837600708
const LOG_2: f32 = 0.663818895816803
const LOG_3: f32 = 0.543604850769043
const LOG_4: f32 = 0.08043228089809418
const LOG_5: f32 = 1.5593234300613403
const LOG_6: f32 = -2.147665500640869
const LOG_7: f32 = 2.361628770828247
const TWO_LN2: f32 = 1.3862943649291992

/** k 2 ln 2 - 2 ln(1 - g). */
// @ts-ignore: decorator
@inline
export function minusTwoLogParts(g: v128, k: v128): v128 {
  let p = f32x4.add(f32x4.mul(f32x4.splat(LOG_7), g), f32x4.splat(LOG_6))
  p = f32x4.add(f32x4.mul(p, g), f32x4.splat(LOG_5))
  p = f32x4.add(f32x4.mul(p, g), f32x4.splat(LOG_4))
  p = f32x4.add(f32x4.mul(p, g), f32x4.splat(LOG_3))
  p = f32x4.add(f32x4.mul(p, g), f32x4.splat(LOG_2))
  p = f32x4.add(f32x4.mul(p, g), f32x4.splat(LOG_1))
  p = f32x4.add(f32x4.mul(p, g), f32x4.splat(LOG_0))
  return f32x4.add(f32x4.mul(p, g), f32x4.mul(f32x4.convert_i32x4_s(k), f32x4.splat(TWO_LN2)))
}

/** The mantissa of v in [1/2, 1). */
// @ts-ignore: decorator
@inline
export function mantissa(v: v128): v128 {
  return v128.or(v128.and(v, i32x4.splat(0x7fffff)), i32x4.splat(0x3f000000))
}

/** 126 minus the exponent's bits. */
// @ts-ignore: decorator
@inline
export function halvings(v: v128): v128 {
  return i32x4.sub(i32x4.splat(126), i32x4.shr_u(v, 23))
}

/** -2 ln v for a normal float32 v in (0, 1]. */
// @ts-ignore: decorator
@inline
export function minusTwoLog(v: v128): v128 {
  return minusTwoLogParts(f32x4.sub(f32x4.splat(1), mantissa(v)), halvings(v))
}
