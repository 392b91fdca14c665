// WebAssembly version of src/core/half.ts, eight values at a time.

/** The binary16 bits of four values, one in each lane. */
// @ts-ignore: decorator
@inline
function float16Bits(value: v128): v128 {
  const sign = v128.and(i32x4.shr_u(value, 16), i32x4.splat(0x8000))
  const magnitude = v128.and(value, i32x4.splat(0x7fffffff))
  const rebased = i32x4.sub(magnitude, i32x4.splat(0x38000000))
  const odd = v128.and(i32x4.shr_u(rebased, 13), i32x4.splat(1))
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(rebased, i32x4.splat(0xfff)), odd), 13)
  // Below 2^-14 the result is a multiple of 2^-24, which is the last place of float32 numbers in [1/2, 1). Adding 1/2 therefore
  // rounds once, and correctly.
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000))
  let bits = v128.bitselect(normal, subnormal, i32x4.ge_s(magnitude, i32x4.splat(0x38800000)))
  bits = v128.bitselect(i32x4.splat(0x7c00), bits, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)))
  return v128.or(sign, bits)
}

/**
 * Replaces the first `count` float32 values of the memory (rounded up to a multiple of eight) by their binary16 bits. The
 * TypeScript version is `float32ToFloat16`.
 */
export function float32ToFloat16(count: u32): void {
  const end: usize = count << 1
  for (let to: usize = 0; to < end; to += 16) {
    const from = to << 1
    v128.store(to, i16x8.narrow_i32x4_u(float16Bits(v128.load(from)), float16Bits(v128.load(from, 16))))
  }
}

// @ts-ignore: decorator
@inline
function bfloat16Bits(value: v128): v128 {
  const odd = v128.and(i32x4.shr_u(value, 16), i32x4.splat(1))
  return i32x4.shr_u(i32x4.add(i32x4.add(value, i32x4.splat(0x7fff)), odd), 16)
}

/**
 * Replaces the first `count` float32 values of the memory (rounded up to a multiple of eight) by their bfloat16 bits. The
 * TypeScript version is `float32ToBfloat16`.
 */
export function float32ToBfloat16(count: u32): void {
  const end: usize = count << 1
  for (let to: usize = 0; to < end; to += 16) {
    const from = to << 1
    v128.store(to, i16x8.narrow_i32x4_u(bfloat16Bits(v128.load(from)), bfloat16Bits(v128.load(from, 16))))
  }
}
