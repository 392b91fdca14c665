//#import "random/rounded"
// The natural logarithm, computed with float32 additions and multiplications, with the same bits on every device. CPU reference:
// src/random/logarithm.ts. The coefficients are from scripts/fit-polynomials.mjs.

// -2 log1p(-g) = g (LOG_0 + LOG_1 g + ...) for 0 <= g <= 1/2, relative error 1.5e-7
const LOG_0 = 0x1.fffffcp+0f;
const LOG_1 = 0x1.000482p+0f;
const LOG_2 = 0x1.53e012p-1f;
const LOG_3 = 0x1.165360p-1f;
const LOG_4 = 0x1.49735cp-4f;
const LOG_5 = 0x1.8f2fd2p+0f;
const LOG_6 = -0x1.12e6b4p+1f;
const LOG_7 = 0x1.2e49dap+1f;
const TWO_LN2 = 0x1.62e430p+0f;

/// k 2 ln 2 - 2 ln(1 - g) for 0 <= g <= 1/2.
fn minusTwoLogParts(g: f32, k: f32, zero: u32) -> f32 {
  var p = rounded(LOG_7 * g, zero) + LOG_6;
  p = rounded(p * g, zero) + LOG_5;
  p = rounded(p * g, zero) + LOG_4;
  p = rounded(p * g, zero) + LOG_3;
  p = rounded(p * g, zero) + LOG_2;
  p = rounded(p * g, zero) + LOG_1;
  p = rounded(p * g, zero) + LOG_0;
  return rounded(p * g, zero) + rounded(k * TWO_LN2, zero);
}

/// -2 ln v for a normal float32 v in (0, 1]. The relative error is at most 2.5e-7 for v <= 1/2; the absolute error is at most
/// 3e-7 for larger v.
fn minusTwoLog(v: f32, zero: u32) -> f32 {
  let bits = bitcast<u32>(v);
  // v = m 2^-k with 1/2 <= m < 1, which is exact; k = -1 for v = 1.
  let m = bitcast<f32>((bits & 0x7fffffu) | 0x3f000000u);
  return minusTwoLogParts(1.0 - m, f32(126 - i32(bits >> 23u)), zero);
}
