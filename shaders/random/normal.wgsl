//#import "random/logarithm"
//#import "random/rounded"
//#import "random/square_root"
// Box-Muller, computed only with correctly rounded float32 + - *. WGSL does not require its builtin log, sqrt, sin and cos and
// its division to be exact, so they are not used. CPU reference: src/random/normal.ts. The coefficients are from
// scripts/fit-polynomials.mjs. Accuracy: |z - exact| <= 5e-7 max(1, |z|); measured bounds are in docs/value-contract.md.

// sin(2 pi t) = t (SIN_0 + SIN_1 t^2 + ...) for |t| <= 1/8, relative error 2.8e-8
const SIN_0 = 0x1.921fb6p+2f;
const SIN_1 = -0x1.4abc24p+5f;
const SIN_2 = 0x1.4680a4p+6f;
const SIN_3 = -0x1.33198ep+6f;

// cos(2 pi t) = 1 + COS_1 t^2 + ... for |t| <= 1/8, relative error 4.0e-8
const COS_1 = -0x1.3bd39cp+4f;
const COS_2 = 0x1.03b058p+6f;
const COS_3 = -0x1.4e78bep+6f;

/// n 2^-33, rounded once to float32. Both halves and both products are exact, so a fused operation gives the same result. The
/// halves are converted through i32, which is faster than u32 on many devices.
fn fixedToFloat(n: u32) -> f32 {
  return f32(i32(n >> 16u)) * 0x1p-17f + f32(i32(n & 0xffffu)) * 0x1p-33f;
}

/// sqrt(-2 ln u) with u = (x + 1/2) 2^-32, so that 0 < u < 1. It is computed from min(u, 1 - u), so that no digits are lost if u
/// is near 1.
fn radius(x: u32, zero: u32) -> f32 {
  let upper = x >= 0x80000000u;
  let v = fixedToFloat((select(x, ~x, upper) << 1u) | 1u);
  let bits = bitcast<u32>(v);
  // v = m 2^-k with 1/2 <= m < 1, which is exact.
  let m = bitcast<f32>((bits & 0x7fffffu) | 0x3f000000u);
  let k = select(126u - (bits >> 23u), 0u, upper);
  let g = select(1.0 - m, v, upper);
  return squareRoot(minusTwoLogParts(g, f32(i32(k)), zero), zero);
}

/// (cos, sin) of 2 pi (y + 1/2) 2^-32. The angle is reduced to the nearest quarter turn with integers, which is exact.
fn direction(y: u32, zero: u32) -> vec2<f32> {
  let shifted = y + 0x20000000u;
  let n = i32(((shifted & 0x3fffffffu) << 1u) | 1u) - 0x40000000;
  // The same as fixedToFloat, but for a signed n, whose sign is in the high half.
  let t = f32(n >> 16u) * 0x1p-17f + f32(n & 0xffff) * 0x1p-33f;
  let t2 = rounded(t * t, zero);
  var p = rounded(SIN_3 * t2, zero) + SIN_2;
  p = rounded(p * t2, zero) + SIN_1;
  p = rounded(p * t2, zero) + SIN_0;
  let s = rounded(p * t, zero);
  p = rounded(COS_3 * t2, zero) + COS_2;
  p = rounded(p * t2, zero) + COS_1;
  let c = rounded(p * t2, zero) + 1.0;
  // Bits 31 and 30 of `shifted` are the quarter turns to add back.
  let swap = (shifted & 0x40000000u) != 0u;
  let cosSign = (shifted + 0x40000000u) & 0x80000000u;
  let sinSign = shifted & 0x80000000u;
  return vec2<f32>(
    bitcast<f32>(bitcast<u32>(select(c, s, swap)) ^ cosSign),
    bitcast<f32>(bitcast<u32>(select(s, c, swap)) ^ sinSign),
  );
}

/// Two independent N(0, 1) values from two words; the first one has the cosine. |z| <= 6.77.
fn boxMuller(x: u32, y: u32, zero: u32) -> vec2<f32> {
  let r = radius(x, zero);
  let d = direction(y, zero);
  return vec2<f32>(rounded(r * d.x, zero), rounded(r * d.y, zero));
}

/// Four N(mean, std^2) values from the four words of a block: z * std + mean, rounded after the product and after the sum.
fn normalQuad(words: vec4<u32>, deviation: f32, mean: f32, zero: u32) -> vec4<f32> {
  let a = boxMuller(words.x, words.y, zero) * deviation;
  let b = boxMuller(words.z, words.w, zero) * deviation;
  return vec4<f32>(rounded(a.x, zero), rounded(a.y, zero), rounded(b.x, zero), rounded(b.y, zero)) + mean;
}
