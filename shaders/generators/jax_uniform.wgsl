//#import "generators/affine"
//#import "$bits"
// jax.random.uniform: 23 bits. law0 as in generators/affine, law1.x = the smallest value.

fn sampleElement(index: u32) -> f32 {
  return max(job.law1.x, affine(jaxBits(index) >> 9u, job.law0, job.zero));
}
