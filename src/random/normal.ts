// CPU reference of shaders/random/normal.wgsl: the same float32 operations, each rounded by Math.fround.
// A test reads the constants out of the shader and compares them with these.

import { createFloatScratch } from '../core/float-scratch.js'
import { minusTwoLogParts } from './logarithm.js'
import { squareRoot } from './square-root.js'

const fround = Math.fround

const SIN_0 = 6.2831854820251465
const SIN_1 = -41.34186553955078
const SIN_2 = 81.62562561035156
const SIN_3 = -76.77495574951172

const COS_1 = -19.73916244506836
const COS_2 = 64.92221069335938
const COS_3 = -83.61791229248047

/** For tests: the constants under their names in the shader. */
export const normalConstants: Readonly<Record<string, number>> = {
  SIN_0,
  SIN_1,
  SIN_2,
  SIN_3,
  COS_1,
  COS_2,
  COS_3,
}

// Marked as pure, so that a bundler removes it where it is not used.
const scratch = /* @__PURE__ */ createFloatScratch()

/** n 2^-33, rounded once to float32. */
export function fixedToFloat(n: number): number {
  return fround((n >>> 0) * 2 ** -33)
}

/**
 * sqrt(-2 ln u) with u = (x + 1/2) 2^-32, for an unsigned 32-bit x. Range [1.5e-5, 6.77]; relative error below 2.8e-7.
 * Same bits on every device.
 */
export function radius(x: number): number {
  const { float, bits } = scratch
  const upper = x >>> 0 >= 0x80000000
  const v = fixedToFloat(((upper ? ~x : x) << 1) | 1)
  float[0] = v
  const vBits = bits[0]!
  bits[0] = (vBits & 0x7fffff) | 0x3f000000
  const m = float[0]!
  const k = upper ? 0 : 126 - (vBits >>> 23)
  const g = upper ? v : fround(1 - m)
  return squareRoot(minusTwoLogParts(g, k))
}

/**
 * Writes cos a (index 0) and sin a (index 1) to `out`, with a = 2 pi (y + 1/2) 2^-32. Absolute error below 1.5e-7; same
 * bits on every device.
 */
export function direction(out: Float32Array, y: number): void {
  const shifted = (y + 0x20000000) | 0
  const n = (((shifted & 0x3fffffff) << 1) | 1) - 0x40000000
  const t = fround(n * 2 ** -33)
  const t2 = fround(t * t)
  let p = fround(fround(SIN_3 * t2) + SIN_2)
  p = fround(fround(p * t2) + SIN_1)
  p = fround(fround(p * t2) + SIN_0)
  const s = fround(p * t)
  p = fround(fround(COS_3 * t2) + COS_2)
  p = fround(fround(p * t2) + COS_1)
  const c = fround(fround(p * t2) + 1)
  const swap = (shifted & 0x40000000) !== 0
  const x0 = swap ? s : c
  const x1 = swap ? c : s
  out[0] = ((shifted + 0x40000000) & 0x80000000) !== 0 ? -x0 : x0
  out[1] = shifted < 0 ? -x1 : x1
}

/**
 * Two independent N(0, 1) values from two 32-bit words (Box and Muller, Ann. Math. Statist. 29, 1958):
 * z0 = sqrt(-2 ln u) cos a and z1 = sqrt(-2 ln u) sin a, with u = (x + 1/2) 2^-32 and a = 2 pi (y + 1/2) 2^-32.
 * |z| <= 6.77; |z - exact| <= 5e-7 max(1, |z|); same bits on every device.
 *
 * @param out receives z0 (index 0) and z1 (index 1)
 */
export function boxMuller(out: Float32Array, x: number, y: number): void {
  const r = radius(x)
  direction(out, y)
  out[0] = r * out[0]!
  out[1] = r * out[1]!
}

const pair = new Float32Array(2)

/**
 * Writes four N(mean, std^2) values, made from the four words of a block, to out[at] to out[at + 3]. Each is z * std + mean,
 * rounded after the product and after the sum. Same bits on every device.
 */
export function normalQuad(words: Uint32Array, std: number, mean: number, out: Float32Array, at: number): void {
  for (let half = 0; half < 4; half += 2) {
    boxMuller(pair, words[half]!, words[half + 1]!)
    out[at + half] = fround(pair[0]! * std) + mean
    out[at + half + 1] = fround(pair[1]! * std) + mean
  }
}
