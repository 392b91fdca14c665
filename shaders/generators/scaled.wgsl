//#import "random/libraries/fma"
// N(mean, std^2) from a unit normal: z * std + mean with one rounding. constants = (std, mean).

fn scaled(z: f32, constants: vec4<f32>, zero: u32) -> f32 {
  return fusedMultiplyAdd(z, constants.x, constants.y, zero);
}
