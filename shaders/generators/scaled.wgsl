//#import "random/libraries/fma"
// N(mean, std^2) from a unit normal: z * std + mean with one rounding. law = (std, mean).

fn scaled(z: f32, law: vec4<f32>, zero: u32) -> f32 {
  return fusedMultiplyAdd(z, law.x, law.y, zero);
}
