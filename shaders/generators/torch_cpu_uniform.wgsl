//#import "core/job"
//#import "generators/affine"
//#import "generators/host_words"
// uniform_ of PyTorch's CPU generator, from 24 bits of a word. A value equal to the upper end becomes the lower end.
// job.constants: a as in generators/affine, b.x = the upper end. CPU reference: src/generators/torch/cpu.ts.

fn sampleElement(index: u32) -> f32 {
  let constants = bitcast<vec4<f32>>(job.constants.a);
  let value = affine(hostWords[index] & 0xffffffu, constants, job.zero);
  return select(value, constants.y, value == bitcast<f32>(job.constants.b.x));
}
