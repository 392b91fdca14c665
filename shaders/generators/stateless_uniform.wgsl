//#import "core/law"
//#import "generators/affine"
// torch.func._random.uniform over the words of a block. law.a as in generators/affine. Twin: src/generators/torch/stateless.ts.

fn sampleWords(words: vec4<u32>, block: vec2<u32>, law: Law, zero: u32) -> vec4<f32> {
  let law0 = bitcast<vec4<f32>>(law.a);
  let k = words & vec4<u32>(0xffffffu);
  return vec4<f32>(affine(k.x, law0, zero), affine(k.y, law0, zero), affine(k.z, law0, zero), affine(k.w, law0, zero));
}
