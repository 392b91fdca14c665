// CPU reference of shaders/random/libraries/curand.wgsl: what cuRAND's headers (curand_uniform.h, curand_normal.h) make of Philox words.
import { cephesCosSin, cephesLog } from './cephes.js'
import { exactSquareRoot, fusedMultiplyAdd } from './fma.js'

const fround = Math.fround
const TWO_PI = /* @__PURE__ */ fround(2 * Math.PI)
/** 2 pi 2^-32 as cuRAND has it: the product of two float32 constants, here exact. */
// Functions, because a bundler that writes a constant out in the next one forgets that it is pure.
const TURN = /* @__PURE__ */ (() => fround(TWO_PI * 2 ** -32))()
const HALF_TURN = /* @__PURE__ */ (() => fround(TURN / 2))()

/** x as float32, nearest even, for an unsigned 32-bit x. Exact rounding. */
export function roundToFloat(x: number): number {
  return fround(x >>> 0)
}

/** x 2^-32 + 2^-33 in float32, x rounded to float32 first. In (0, 1]; 1 for the top 128 words. */
export function curandUniform(x: number): number {
  return fround(roundToFloat(x) * 2 ** -32 + 2 ** -33)
}

/** sqrt(-2 ln u), u = curandUniform(x). */
export function curandRadius(x: number): number {
  return exactSquareRoot(-2 * cephesLog(curandUniform(x), fusedMultiplyAdd))
}

/** cos and sin of y 2 pi 2^-32 + pi 2^-32 (one rounding), into `out`. */
export function curandDirection(out: Float32Array, y: number): void {
  cephesCosSin(out, fusedMultiplyAdd(roundToFloat(y), TURN, HALF_TURN), fusedMultiplyAdd)
}

/** cos and sin of 2 pi u, u = curandUniform(y), the product rounded, into `out`. */
export function statelessDirection(out: Float32Array, y: number): void {
  cephesCosSin(out, fround(TWO_PI * curandUniform(y)), fusedMultiplyAdd)
}
