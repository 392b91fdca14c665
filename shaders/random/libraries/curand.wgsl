//#import "random/libraries/cephes"
//#import "random/libraries/fma"
//#import "random/exact_square_root"
// How cuRAND's headers turn Philox words into numbers. CPU reference: src/random/libraries/curand.ts.

const TWO_PI = 0x1.921fb6p+2f;
const TURN = 0x1.921fb6p-30f;
const HALF_TURN = 0x1.921fb6p-31f;

/// x rounded to the nearest float32, ties to even. It uses integers, because WGSL allows a conversion to round up or down.
fn roundToFloat(x: u32) -> f32 {
  if (x < 0x1000000u) {
    return f32(x);
  }
  let drop = 8u - countLeadingZeros(x);
  let half = 1u << (drop - 1u);
  let rest = x & ((1u << drop) - 1u);
  var kept = x >> drop;
  if (rest > half || (rest == half && (kept & 1u) == 1u)) {
    kept += 1u;
  }
  return f32(kept) * bitcast<f32>((127u + drop) << 23u);
}

/// x 2^-32 + 2^-33, after rounding x to float32. In (0, 1].
fn curandUniform(x: u32, zero: u32) -> f32 {
  return rounded(roundToFloat(x) * 0x1p-32f + 0x1p-33f, zero);
}

/// sqrt(-2 ln u) for u = curandUniform(x).
fn curandRadius(x: u32, zero: u32) -> f32 {
  return exactSquareRoot(-2.0 * cephesLog(curandUniform(x, zero), zero));
}

/// (cos, sin) of y 2 pi 2^-32 + pi 2^-32, which is rounded once.
fn curandDirection(y: u32, zero: u32) -> vec2<f32> {
  return cephesCosSin(fusedMultiplyAdd(roundToFloat(y), TURN, HALF_TURN, zero), zero);
}

/// (cos, sin) of 2 pi u for u = curandUniform(y); the product is rounded to float32.
fn statelessDirection(y: u32, zero: u32) -> vec2<f32> {
  return cephesCosSin(rounded(TWO_PI * curandUniform(y, zero), zero), zero);
}
