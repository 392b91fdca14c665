//#import "core/constants"
//#import "random/rounded"
// Uniform values from the low 24 bits of each word. CPU reference: src/random/uniform.ts.
// distribution.a = (scale, offset, top, step), distribution.b.x = zeroPoint; all exact float32.
//   symmetric (-b, b): scale = b, offset = 0, step = 2^-23, zeroPoint = 2^23: one rounding, in [-b, b)
//   general [lo, hi):  scale = hi - lo, offset = lo, step = 2^-24, zeroPoint = 0: two roundings
// `top` is the largest float32 below the upper end: a sum that rounds up to the end is brought back to it.

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  let a = bitcast<vec4<f32>>(constants.a);
  let unit = (vec4<f32>(vec4<i32>(words & vec4<u32>(0xffffffu))) - bitcast<f32>(constants.b.x)) * a.w; // exact
  let product = unit * a.x;
  let v = vec4<f32>(rounded(product.x, zero), rounded(product.y, zero), rounded(product.z, zero), rounded(product.w, zero));
  return min(v + a.y, vec4<f32>(a.z));
}
