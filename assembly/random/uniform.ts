// WebAssembly version of src/random/uniform.ts, four words at a time.

/**
 * Replaces the first `count` words of the memory (rounded up to a multiple of four) by uniform values. The TypeScript version is
 * `uniformValue`.
 */
export function uniform(count: u32, scale: f32, offset: f32, top: f32, step: f32, zeroPoint: f32): void {
  const end: usize = count << 2
  for (let at: usize = 0; at < end; at += 16) {
    const k = f32x4.convert_i32x4_s(v128.and(v128.load(at), i32x4.splat(0xffffff)))
    const unit = f32x4.mul(f32x4.sub(k, f32x4.splat(zeroPoint)), f32x4.splat(step))
    const value = f32x4.add(f32x4.mul(unit, f32x4.splat(scale)), f32x4.splat(offset))
    v128.store(at, f32x4.min(value, f32x4.splat(top)))
  }
}
