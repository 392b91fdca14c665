//#import "generators/affine"
//#import "$bits"
// jax.random.uniform: 23 bits. distribution.a as in generators/affine, distribution.b.x = the smallest value.

fn sampleElement(index: u32) -> f32 {
  return max(bitcast<f32>(job.constants.b.x), affine(jaxBits(index) >> 9u, bitcast<vec4<f32>>(job.constants.a), job.zero));
}
