//#import "random/rounded"
// Uniform values from the low 24 bits of each word. Twin: src/random/uniform.ts.
// law0 = (scale, offset, top, step), law1.x = origin; all exact float32.
//   symmetric (-b, b): scale = b, offset = 0, step = 2^-23, origin = 2^23: one rounding, in [-b, b)
//   general [lo, hi):  scale = hi - lo, offset = lo, step = 2^-24, origin = 0: two roundings
// `top` is the largest float32 below the upper end: a sum that rounds up to the end is brought back to it.

fn sample(words: vec4<u32>, law0: vec4<f32>, law1: vec4<f32>, zero: u32) -> vec4<f32> {
  let unit = (vec4<f32>(words & vec4<u32>(0xffffffu)) - law1.x) * law0.w; // exact
  let product = unit * law0.x;
  let v = vec4<f32>(rounded(product.x, zero), rounded(product.y, zero), rounded(product.z, zero), rounded(product.w, zero));
  return min(v + law0.y, vec4<f32>(law0.z));
}
