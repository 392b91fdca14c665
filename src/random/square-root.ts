// CPU reference of shaders/random/square_root.wgsl: the same float32 operations, each rounded by Math.fround.

import { createFloatScratch } from '../core/float-scratch.js'

const fround = Math.fround

const ROOT_SEED = 0x5f37642f
const ROOT_0 = 0.4999983012676239
const ROOT_1 = 0.37500038743019104
const ROOT_2 = 0.31394678354263306
const ROOT_3 = 0.27397316694259644

/** For tests: the constants under their names in the shader. */
export const squareRootConstants: Readonly<Record<string, number>> = {
  ROOT_SEED,
  ROOT_0,
  ROOT_1,
  ROOT_2,
  ROOT_3,
}

// Marked as pure, so that a bundler removes it where it is not used.
const scratch = /* @__PURE__ */ createFloatScratch()

/** sqrt(q) for a normal float32 q > 0. Relative error 1.5e-7: not correctly rounded, but the same bits on every device. */
export function squareRoot(q: number): number {
  const { float, bits } = scratch
  float[0] = q
  bits[0] = ROOT_SEED - (bits[0]! >>> 1)
  const y = float[0]!
  const s = fround(q * y)
  const e = fround(1 - fround(s * y))
  let p = fround(fround(ROOT_3 * e) + ROOT_2)
  p = fround(fround(p * e) + ROOT_1)
  p = fround(fround(p * e) + ROOT_0)
  return fround(s + fround(fround(p * e) * s))
}
