// CPU reference of shaders/random/libraries/cephes.wgsl: the float32 logarithm, sine and cosine of the Cephes library
// (S. Moshier), with the operations in the order of PyTorch's AVX2 code (ATen/native/cpu/avx_mathfun.h). The parameter
// `mulAdd` says whether the compiler contracted a product and a sum to one fused operation, as GCC does in the Linux builds.

import { createFloatScratch } from '../../core/float-scratch.js'
import type { MulAdd } from './fma.js'

const fround = Math.fround

const LOG_P: readonly number[] = /* @__PURE__ */ [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
].map(Math.fround)
const [P0, P1, P2, P3, P4, P5, P6, P7, P8] = LOG_P as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const LOG_Q1 = /* @__PURE__ */ fround(-2.1219444e-4)
const LOG_Q2 = 0.693359375
const ROOT_HALF = /* @__PURE__ */ fround(Math.SQRT1_2)

const FOUR_OVER_PI = /* @__PURE__ */ fround(1.27323954473516)
const PI_4_A = -0.78515625
const PI_4_B = -2.4187564849853516e-4
const PI_4_C = /* @__PURE__ */ fround(-3.774894977445941e-8)
const COS_0 = /* @__PURE__ */ fround(2.443315711809948e-5)
const COS_1 = /* @__PURE__ */ fround(-1.388731625493765e-3)
const COS_2 = /* @__PURE__ */ fround(4.166664568298827e-2)
const SIN_0 = /* @__PURE__ */ fround(-1.9515295891e-4)
const SIN_1 = /* @__PURE__ */ fround(8.3321608736e-3)
const SIN_2 = /* @__PURE__ */ fround(-1.6666654611e-1)

/** For tests: the constants under their names in the shader. */
export const cephesConstants: Readonly<Record<string, number>> = {
  LOG_P0: P0,
  LOG_P1: P1,
  LOG_P2: P2,
  LOG_P3: P3,
  LOG_P4: P4,
  LOG_P5: P5,
  LOG_P6: P6,
  LOG_P7: P7,
  LOG_P8: P8,
  LOG_Q1,
  LOG_Q2,
  ROOT_HALF,
  FOUR_OVER_PI,
  PI_4_A,
  PI_4_B,
  PI_4_C,
  COS_0,
  COS_1,
  COS_2,
  SIN_0,
  SIN_1,
  SIN_2,
}

const scratch = /* @__PURE__ */ createFloatScratch()

/** ln x for a normal float32 x > 0. Relative error about 1e-7. */
export function cephesLog(x: number, mulAdd: MulAdd): number {
  const { float, bits } = scratch
  float[0] = x
  const xBits = bits[0]!
  let e = (xBits >>> 23) - 126
  bits[0] = (xBits & 0x007fffff) | 0x3f000000
  let m = float[0]!
  if (m < ROOT_HALF) {
    e -= 1
    // (m - 1) + m has two roundings, but both results are exact here.
    m = fround(fround(m - 1) + m)
  } else {
    m = fround(m - 1)
  }
  const z = fround(m * m)
  let y = mulAdd(P0, m, P1)
  y = mulAdd(y, m, P2)
  y = mulAdd(y, m, P3)
  y = mulAdd(y, m, P4)
  y = mulAdd(y, m, P5)
  y = mulAdd(y, m, P6)
  y = mulAdd(y, m, P7)
  y = mulAdd(y, m, P8)
  y = fround(y * m)
  y = mulAdd(y, z, fround(e * LOG_Q1))
  // z / 2 and e * LOG_Q2 are exact, so contraction makes no difference.
  y = fround(y - z * 0.5)
  m = fround(m + y)
  return fround(m + e * LOG_Q2)
}

/** Writes cos x (index 0) and sin x (index 1) to `out`, for 0 <= x <= 8. Absolute error about 1e-7. */
export function cephesCosSin(out: Float32Array, x: number, mulAdd: MulAdd): void {
  const j = (Math.trunc(fround(x * FOUR_OVER_PI)) + 1) & ~1
  // The first two parts of pi / 4 have few bits, so that j times each of them is exact.
  let r = fround(x + j * PI_4_A)
  r = fround(r + j * PI_4_B)
  r = mulAdd(j, PI_4_C, r)
  const z = fround(r * r)
  let c = mulAdd(COS_0, z, COS_1)
  c = mulAdd(c, z, COS_2)
  c = fround(c * z)
  c = mulAdd(c, z, -(z * 0.5))
  c = fround(c + 1)
  let s = mulAdd(SIN_0, z, SIN_1)
  s = mulAdd(s, z, SIN_2)
  s = fround(s * z)
  s = mulAdd(s, r, r)
  const swap = (j & 2) !== 0
  const cosine = swap ? s : c
  const sine = swap ? c : s
  out[0] = ((j - 2) & 4) === 0 ? -cosine : cosine
  out[1] = (j & 4) !== 0 ? -sine : sine
}
