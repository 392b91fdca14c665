// WebAssembly version of src/random/square-root.ts, four lanes at a time.

const ROOT_SEED: i32 = 0x5f37642f
const ROOT_0: f32 = 0.4999983012676239
const ROOT_1: f32 = 0.37500038743019104
const ROOT_2: f32 = 0.31394678354263306
const ROOT_3: f32 = 0.27397316694259644

/** sqrt(q) for a normal float32 q > 0. */
// @ts-ignore: decorator
@inline
export function squareRoot(q: v128): v128 {
  const y = i32x4.sub(i32x4.splat(ROOT_SEED), i32x4.shr_u(q, 1))
  const s = f32x4.mul(q, y)
  const e = f32x4.sub(f32x4.splat(1), f32x4.mul(s, y))
  let p = f32x4.add(f32x4.mul(f32x4.splat(ROOT_3), e), f32x4.splat(ROOT_2))
  p = f32x4.add(f32x4.mul(p, e), f32x4.splat(ROOT_1))
  p = f32x4.add(f32x4.mul(p, e), f32x4.splat(ROOT_0))
  return f32x4.add(s, f32x4.mul(f32x4.mul(p, e), s))
}
