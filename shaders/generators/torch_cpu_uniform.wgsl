//#import "core/job"
//#import "generators/affine"
//#import "generators/uploaded"
// uniform_ on the CPU: 24 bits of a word. law0 as in generators/affine. Twin: src/generators/torch-cpu.ts.

fn sampleElement(index: u32) -> f32 {
  return affine(uploaded[index] & 0xffffffu, job.law0, job.zero);
}
