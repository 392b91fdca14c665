//#import "random/libraries/fma"
// Fills the slot $mulAdd: one rounding, as compilers that contract a*b+c do it (GCC, nvcc, XLA).

fn mulAdd(a: f32, b: f32, c: f32, zero: u32) -> f32 {
  return fusedMultiplyAdd(a, b, c, zero);
}
