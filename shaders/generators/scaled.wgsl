//#import "random/libraries/fma"
// N(mean, std^2) from an N(0, 1) value z: z * std + mean, rounded once. constants = (std, mean).

fn scaled(z: f32, constants: vec4<f32>, zero: u32) -> f32 {
  return fusedMultiplyAdd(z, constants.x, constants.y, zero);
}
