// CPU reference of shaders/random/libraries/curand.wgsl: how cuRAND's headers (curand_uniform.h, curand_normal.h) turn Philox
// words into numbers.
import { cephesCosSin, cephesLog } from './cephes.js'
import { exactSquareRoot, fusedMultiplyAdd } from './fma.js'

const fround = Math.fround
const TWO_PI = /* @__PURE__ */ fround(2 * Math.PI)
/** 2 pi 2^-32 as cuRAND computes it: the product of two float32 constants, which is exact here. */
// Both are function calls marked as pure. A bundler that inlined the first constant into the second would otherwise lose
// the mark and could no longer remove them.
const TURN = /* @__PURE__ */ (() => fround(TWO_PI * 2 ** -32))()
const HALF_TURN = /* @__PURE__ */ (() => fround(TURN / 2))()

/** An unsigned 32-bit x, rounded to the nearest float32, ties to even. */
export function roundToFloat(x: number): number {
  return fround(x >>> 0)
}

/** x 2^-32 + 2^-33 in float32, after rounding x to float32. In (0, 1]; the largest 128 words give 1. */
export function curandUniform(x: number): number {
  return fround(roundToFloat(x) * 2 ** -32 + 2 ** -33)
}

/** sqrt(-2 ln u) for u = curandUniform(x). */
export function curandRadius(x: number): number {
  return exactSquareRoot(-2 * cephesLog(curandUniform(x), fusedMultiplyAdd))
}

/** Writes cos and sin of y 2 pi 2^-32 + pi 2^-32 to `out`. The angle is rounded once. */
export function curandDirection(out: Float32Array, y: number): void {
  cephesCosSin(out, fusedMultiplyAdd(roundToFloat(y), TURN, HALF_TURN), fusedMultiplyAdd)
}

/** Writes cos and sin of 2 pi u to `out`, for u = curandUniform(y). The product 2 pi u is rounded to float32. */
export function statelessDirection(out: Float32Array, y: number): void {
  cephesCosSin(out, fround(TWO_PI * curandUniform(y)), fusedMultiplyAdd)
}
