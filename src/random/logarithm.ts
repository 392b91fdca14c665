// CPU reference of shaders/random/logarithm.wgsl: the same float32 operations, each rounded by Math.fround.
// A test reads the constants out of the shader and compares them with these.

import { createFloatScratch } from '../core/float-scratch.js'

const fround = Math.fround

const LOG_0 = 1.999999761581421
const LOG_1 = 1.0000687837600708
const LOG_2 = 0.663818895816803
const LOG_3 = 0.543604850769043
const LOG_4 = 0.08043228089809418
const LOG_5 = 1.5593234300613403
const LOG_6 = -2.147665500640869
const LOG_7 = 2.361628770828247
const TWO_LN2 = 1.3862943649291992

/** For tests: the constants under their names in the shader. */
export const logarithmConstants: Readonly<Record<string, number>> = {
  LOG_0,
  LOG_1,
  LOG_2,
  LOG_3,
  LOG_4,
  LOG_5,
  LOG_6,
  LOG_7,
  TWO_LN2,
}

// Marked as pure, so that a bundler removes it where it is not used.
const scratch = /* @__PURE__ */ createFloatScratch()

/** k 2 ln 2 - 2 ln(1 - g), for a float32 g in [0, 1/2] and a small integer k. Same bits on every device. */
export function minusTwoLogParts(g: number, k: number): number {
  let p = fround(fround(LOG_7 * g) + LOG_6)
  p = fround(fround(p * g) + LOG_5)
  p = fround(fround(p * g) + LOG_4)
  p = fround(fround(p * g) + LOG_3)
  p = fround(fround(p * g) + LOG_2)
  p = fround(fround(p * g) + LOG_1)
  p = fround(fround(p * g) + LOG_0)
  return fround(fround(p * g) + fround(k * TWO_LN2))
}

/**
 * -2 ln v for a normal float32 v in (0, 1]. The relative error is at most 2.5e-7 for v <= 1/2; the absolute error is at
 * most 3e-7 for larger v. Same bits on every device.
 */
export function minusTwoLog(v: number): number {
  const { float, bits } = scratch
  float[0] = v
  const vBits = bits[0]!
  bits[0] = (vBits & 0x7fffff) | 0x3f000000
  return minusTwoLogParts(fround(1 - float[0]!), 126 - (vBits >>> 23))
}
