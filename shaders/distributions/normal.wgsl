//#import "core/constants"
//#import "random/normal"
// N(mean, std^2): z * std + mean, rounded after the product and after the sum. constants.a = (std, mean). CPU reference:
// src/random/normal.ts.

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  return normalQuad(words, bitcast<f32>(constants.a.x), bitcast<f32>(constants.a.y), zero);
}
