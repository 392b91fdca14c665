//#import "core/job"
//#import "generators/affine"
//#import "generators/uploaded"
// uniform_ on the CPU: 24 bits of a word; a value of the upper end becomes the lower one. law.a as in generators/affine,
// law.b.x = the upper end. Twin: src/generators/torch/cpu.ts.

fn sampleElement(index: u32) -> f32 {
  let law = bitcast<vec4<f32>>(job.law.a);
  let value = affine(uploaded[index] & 0xffffffu, law, job.zero);
  return select(value, law.y, value == bitcast<f32>(job.law.b.x));
}
