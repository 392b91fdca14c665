//#import "core/constants"
//#import "generators/affine"
// torch.func._random.uniform for the words of a block. constants.a is as in generators/affine. CPU reference:
// src/generators/torch/stateless.ts.

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  let constants0 = bitcast<vec4<f32>>(constants.a);
  let k = words & vec4<u32>(0xffffffu);
  return vec4<f32>(affine(k.x, constants0, zero), affine(k.y, constants0, zero), affine(k.z, constants0, zero), affine(k.w, constants0, zero));
}
