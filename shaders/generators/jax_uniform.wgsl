//#import "generators/affine"
//#import "$bits"
// jax.random.uniform: 23 bits. law.a as in generators/affine, law.b.x = the smallest value.

fn sampleElement(index: u32) -> f32 {
  return max(bitcast<f32>(job.law.b.x), affine(jaxBits(index) >> 9u, bitcast<vec4<f32>>(job.law.a), job.zero));
}
