// WebAssembly version of src/random/normal.ts, four pairs of words at a time.

import { halvings, mantissa, minusTwoLogParts } from './logarithm'
import { squareRoot } from './square-root'

const SIN_0: f32 = 6.2831854820251465
const SIN_1: f32 = -41.34186553955078
const SIN_2: f32 = 81.62562561035156
const SIN_3: f32 = -76.77495574951172

const COS_1: f32 = -19.73916244506836
const COS_2: f32 = 64.92221069335938
const COS_3: f32 = -83.61791229248047

/** 2^-33. */
const STEP: f32 = 1.1641532182693481e-10

/** sqrt(-2 ln u) with u = (x + 1/2) 2^-32. */
// @ts-ignore: decorator
@inline
function radius(x: v128): v128 {
  const upper = i32x4.shr_s(x, 31)
  const n = v128.or(i32x4.shl(v128.xor(x, upper), 1), i32x4.splat(1))
  const v = f32x4.mul(f32x4.convert_i32x4_u(n), f32x4.splat(STEP))
  const k = v128.andnot(halvings(v), upper)
  const g = v128.bitselect(v, f32x4.sub(f32x4.splat(1), mantissa(v)), upper)
  return squareRoot(minusTwoLogParts(g, k))
}

// @ts-ignore: decorator
@inline
function sine(t: v128, t2: v128): v128 {
  let p = f32x4.add(f32x4.mul(f32x4.splat(SIN_3), t2), f32x4.splat(SIN_2))
  p = f32x4.add(f32x4.mul(p, t2), f32x4.splat(SIN_1))
  p = f32x4.add(f32x4.mul(p, t2), f32x4.splat(SIN_0))
  return f32x4.mul(p, t)
}

// @ts-ignore: decorator
@inline
function cosine(t2: v128): v128 {
  let p = f32x4.add(f32x4.mul(f32x4.splat(COS_3), t2), f32x4.splat(COS_2))
  p = f32x4.add(f32x4.mul(p, t2), f32x4.splat(COS_1))
  return f32x4.add(f32x4.mul(p, t2), f32x4.splat(1))
}

/**
 * Replaces the first `count` words of the memory (rounded up to a multiple of eight) by N(mean, std^2) values. The TypeScript
 * version is `normalQuad`. `direction` is inlined here, because an AssemblyScript function has only one result.
 */
export function normal(count: u32, std: f32, mean: f32): void {
  const end: usize = count << 2
  for (let at: usize = 0; at < end; at += 32) {
    const a = v128.load(at)
    const b = v128.load(at, 16)
    const r = radius(v128.shuffle<u32>(a, b, 0, 2, 4, 6))
    const y = v128.shuffle<u32>(a, b, 1, 3, 5, 7)
    const shifted = i32x4.add(y, i32x4.splat(0x20000000))
    const n = i32x4.sub(
      v128.or(i32x4.shl(v128.and(shifted, i32x4.splat(0x3fffffff)), 1), i32x4.splat(1)),
      i32x4.splat(0x40000000),
    )
    const t = f32x4.mul(f32x4.convert_i32x4_s(n), f32x4.splat(STEP))
    const t2 = f32x4.mul(t, t)
    const s = sine(t, t2)
    const c = cosine(t2)
    const swap = i32x4.shr_s(i32x4.shl(shifted, 1), 31)
    const sign = i32x4.splat(0x80000000)
    const x0 = v128.xor(v128.bitselect(s, c, swap), v128.and(i32x4.add(shifted, i32x4.splat(0x40000000)), sign))
    const x1 = v128.xor(v128.bitselect(c, s, swap), v128.and(shifted, sign))
    const z0 = f32x4.add(f32x4.mul(f32x4.mul(r, x0), f32x4.splat(std)), f32x4.splat(mean))
    const z1 = f32x4.add(f32x4.mul(f32x4.mul(r, x1), f32x4.splat(std)), f32x4.splat(mean))
    v128.store(at, v128.shuffle<u32>(z0, z1, 0, 4, 1, 5))
    v128.store(at, v128.shuffle<u32>(z0, z1, 2, 6, 3, 7), 16)
  }
}
