//#import "generators/affine"
// torch.func._random.uniform over the words of a block. law0 as in generators/affine. Twin: src/generators/stateless.ts.

fn sample(words: vec4<u32>, law0: vec4<f32>, law1: vec4<f32>, zero: u32) -> vec4<f32> {
  let k = words & vec4<u32>(0xffffffu);
  return vec4<f32>(affine(k.x, law0, zero), affine(k.y, law0, zero), affine(k.z, law0, zero), affine(k.w, law0, zero));
}
