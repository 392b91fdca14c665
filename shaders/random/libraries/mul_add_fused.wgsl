//#import "random/libraries/fma"
// Fills the slot $mulAdd with one rounding, as in code of compilers that contract a*b+c (GCC, nvcc, XLA).

fn mulAdd(a: f32, b: f32, c: f32, zero: u32) -> f32 {
  return fusedMultiplyAdd(a, b, c, zero);
}
