// CPU reference of shaders/random/libraries/erf_inv.wgsl: the inverse error function of XLA, which is the single-precision
// version of M. Giles, "Approximating the erfinv function", GPU Computing Gems Jade Edition, 2012. JAX's values contain its
// approximation error (6e-6), so it must not be replaced by a more accurate function.
import { cephesLog } from './cephes.js'
import { exactSquareRoot, fusedMultiplyAdd } from './fma.js'

const fround = Math.fround

const CENTRAL: readonly number[] = /* @__PURE__ */ [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
].map(Math.fround)
const TAIL: readonly number[] = /* @__PURE__ */ [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
].map(Math.fround)

/** For tests: the shader's coefficients. */
export const erfInvCoefficients: { readonly central: readonly number[]; readonly tail: readonly number[] } = {
  central: CENTRAL,
  tail: TAIL,
}

/** erf^-1(u) for |u| < 1. */
export function erfInv(u: number): number {
  let w = -cephesLog(fround(1 - fround(u * u)), fusedMultiplyAdd)
  let coefficients = CENTRAL
  if (w < 5) {
    w = fround(w - 2.5)
  } else {
    w = fround(exactSquareRoot(w) - 3)
    coefficients = TAIL
  }
  let p = coefficients[0]!
  for (let i = 1; i < 9; i++) p = fusedMultiplyAdd(p, w, coefficients[i]!)
  return fround(p * u)
}
