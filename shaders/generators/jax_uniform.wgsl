//#import "generators/affine"
//#import "$bits"
// jax.random.uniform, from 23 bits. job.constants: a as in generators/affine, b.x = the smallest value.

fn sampleElement(index: u32) -> f32 {
  return max(bitcast<f32>(job.constants.b.x), affine(jaxBits(index) >> 9u, bitcast<vec4<f32>>(job.constants.a), job.zero));
}
