//#import "core/constants"
//#import "random/rounded"
// Uniform values from the low 24 bits of each word. CPU reference: src/random/uniform.ts.
// constants.a = (scale, offset, top, step), constants.b.x = zeroPoint; all are exact float32 numbers.
//   symmetric [-b, b): scale = b, offset = 0, step = 2^-23, zeroPoint = 2^23; rounded once
//   general [lo, hi):  scale = hi - lo, offset = lo, step = 2^-24, zeroPoint = 0; rounded twice
// `top` is the largest float32 below the upper end. It replaces a sum that rounds up to the upper end.

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  let a = bitcast<vec4<f32>>(constants.a);
  let unit = (vec4<f32>(vec4<i32>(words & vec4<u32>(0xffffffu))) - bitcast<f32>(constants.b.x)) * a.w; // exact
  let product = unit * a.x;
  let v = vec4<f32>(rounded(product.x, zero), rounded(product.y, zero), rounded(product.z, zero), rounded(product.w, zero));
  return min(v + a.y, vec4<f32>(a.z));
}
