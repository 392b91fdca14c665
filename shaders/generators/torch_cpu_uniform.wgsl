//#import "core/job"
//#import "generators/affine"
//#import "generators/uploaded"
// uniform_ on the CPU: 24 bits of a word. law.a as in generators/affine. Twin: src/generators/torch-cpu.ts.

fn sampleElement(index: u32) -> f32 {
  return affine(uploaded[index] & 0xffffffu, bitcast<vec4<f32>>(job.law.a), job.zero);
}
