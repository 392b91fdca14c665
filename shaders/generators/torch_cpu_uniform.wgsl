//#import "core/job"
//#import "generators/affine"
//#import "generators/uploaded"
// uniform_ on the CPU: 24 bits of a word; a value of the upper end becomes the lower one. law0 as in generators/affine,
// law1.x = the upper end. Twin: src/generators/torch-cpu.ts.

fn sampleElement(index: u32) -> f32 {
  let value = affine(uploaded[index] & 0xffffffu, job.law0, job.zero);
  return select(value, job.law0.y, value == job.law1.x);
}
