//#import "core/job"
//#import "generators/affine"
//#import "generators/host_words"
// uniform_ on the CPU: 24 bits of a word; a value of the upper end becomes the lower one. distribution.a as in generators/affine,
// distribution.b.x = the upper end. CPU reference: src/generators/torch/cpu.ts.

fn sampleElement(index: u32) -> f32 {
  let constants = bitcast<vec4<f32>>(job.constants.a);
  let value = affine(hostWords[index] & 0xffffffu, constants, job.zero);
  return select(value, constants.y, value == bitcast<f32>(job.constants.b.x));
}
