//#import "generators/affine"
//#import "generators/scaled"
//#import "random/libraries/erf_inv"
//#import "$bits"
// jax.random.truncated_normal: sqrt(2) erf^-1(u), clamped to the open interval, for a u that is uniform between erf of the bounds.
// job.constants: a as in generators/affine, b = (smallest u, smallest value, largest value), c.zw = (std, mean).
// CPU reference: jaxTruncatedNormal in src/generators/jax/jax.ts.

const ROOT_TWO = 0x1.6a09e6p+0f;

fn jaxTruncatedNormal(word: u32, zero: u32) -> f32 {
  let bounds = bitcast<vec4<f32>>(job.constants.b);
  let u = max(bounds.x, affine(word >> 9u, bitcast<vec4<f32>>(job.constants.a), zero));
  // If the result is not used, any u inside the interval can be passed.
  let inside = u > -1.0;
  let value = rounded(ROOT_TWO * erfInv(select(0.0, u, inside), zero), zero);
  return select(bounds.y, min(max(value, bounds.y), bounds.z), inside);
}

fn sampleElement(index: u32) -> f32 {
  let constants = vec4<f32>(bitcast<vec2<f32>>(job.constants.c.zw), 0.0, 0.0);
  return scaled(jaxTruncatedNormal(jaxBits(index), job.zero), constants, job.zero);
}
