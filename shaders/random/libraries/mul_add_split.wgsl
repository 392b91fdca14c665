//#import "random/rounded"
// Fills the slot $mulAdd with two roundings. CPU reference: splitMultiplyAdd in src/random/libraries/fma.ts.

fn mulAdd(a: f32, b: f32, c: f32, zero: u32) -> f32 {
  return rounded(rounded(a * b, zero) + c, zero);
}
