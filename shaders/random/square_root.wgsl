//#import "random/rounded"
// The square root, computed with float32 additions and multiplications, with the same bits on every device. It is not correctly
// rounded; the relative error is 1.5e-7. CPU reference: src/random/square-root.ts. The coefficients are from
// scripts/fit-polynomials.mjs.

// (1 - e)^(-1/2) = 1 + e (ROOT_0 + ROOT_1 e + ...) for |e| <= 0.07, absolute error 2.4e-8
const ROOT_SEED = 0x5f37642fu;
const ROOT_0 = 0x1.ffff8ep-2f;
const ROOT_1 = 0x1.80001ap-2f;
const ROOT_2 = 0x1.417b44p-2f;
const ROOT_3 = 0x1.188c6cp-2f;

/// sqrt(q) for a normal float32 q > 0, computed as q y (1 - e)^(-1/2), where y is near q^(-1/2) and e = 1 - q y^2.
fn squareRoot(q: f32, zero: u32) -> f32 {
  let y = bitcast<f32>(ROOT_SEED - (bitcast<u32>(q) >> 1u));
  let s = rounded(q * y, zero);
  let e = 1.0 - rounded(s * y, zero);
  var p = rounded(ROOT_3 * e, zero) + ROOT_2;
  p = rounded(p * e, zero) + ROOT_1;
  p = rounded(p * e, zero) + ROOT_0;
  return s + rounded(rounded(p * e, zero) * s, zero);
}
