//#import "random/rounded"
// Correctly rounded float32 operations that WGSL does not have or does not require to be exact. CPU reference:
// src/random/libraries/fma.ts.

/// a + b exactly, as the rounded sum and its error (Knuth 1969, without a branch on the magnitudes).
fn twoSum(a: f32, b: f32, zero: u32) -> vec2<f32> {
  let sum = rounded(a + b, zero);
  let back = rounded(sum - a, zero);
  let missing = rounded(a - rounded(sum - back, zero), zero);
  return vec2<f32>(sum, rounded(missing + rounded(b - back, zero), zero));
}

/// a * b exactly, as the rounded product and its error (Dekker 1971). The halves have 12 bits each, so their products and all
/// differences below are exact.
fn twoProduct(a: f32, b: f32, zero: u32) -> vec2<f32> {
  let product = rounded(a * b, zero);
  let aHigh = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  let aLow = rounded(a - aHigh, zero);
  let bHigh = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let bLow = rounded(b - bHigh, zero);
  var error = rounded(product - aHigh * bHigh, zero);
  error = rounded(error - aLow * bHigh, zero);
  error = rounded(error - aHigh * bLow, zero);
  return vec2<f32>(product, rounded(aLow * bLow - error, zero));
}

/// a * b + c, rounded once. Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
/// rounding to odd", IEEE Trans. Computers 57, 2008. Correct unless an error term is subnormal.
fn fusedMultiplyAdd(a: f32, b: f32, c: f32, zero: u32) -> f32 {
  let product = twoProduct(a, b, zero);
  let low = twoSum(c, product.y, zero);
  let high = twoSum(product.x, low.x, zero);
  let rest = twoSum(low.y, high.y, zero);
  // Round the rest to odd: if it is inexact, its last bit becomes 1.
  var bits = bitcast<u32>(rest.x);
  if (rest.y != 0.0 && (bits & 1u) == 0u) {
    bits = select(bits - 1u, bits + 1u, (rest.y > 0.0) == (rest.x > 0.0));
  }
  return rounded(high.x + bitcast<f32>(bits), zero);
}
