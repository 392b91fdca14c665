//#import "random/normal"
// N(mean, std^2): z * std, then + mean, two roundings. law0 = (std, mean). Twin: src/random/normal.ts.

fn sample(words: vec4<u32>, law0: vec4<f32>, law1: vec4<f32>, zero: u32) -> vec4<f32> {
  let a = boxMuller(words.x, words.y, zero) * law0.x;
  let b = boxMuller(words.z, words.w, zero) * law0.x;
  return vec4<f32>(rounded(a.x, zero), rounded(a.y, zero), rounded(b.x, zero), rounded(b.y, zero)) + law0.y;
}
