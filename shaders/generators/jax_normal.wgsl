//#import "generators/scaled"
//#import "random/libraries/erf_inv"
//#import "$bits"
// jax.random.normal: sqrt(2) erf^-1(u). job.constants.a = (std, mean). CPU reference: jaxNormal in src/generators/jax/jax.ts.

const ROOT_TWO = 0x1.6a09e6p+0f;

fn jaxNormal(word: u32, zero: u32) -> f32 {
  let u = f32(i32(4u * (word >> 9u) + 1u) - 0x1000000) * 0x1p-24f; // exact
  return rounded(ROOT_TWO * erfInv(u, zero), zero);
}

fn sampleElement(index: u32) -> f32 {
  return scaled(jaxNormal(jaxBits(index), job.zero), bitcast<vec4<f32>>(job.constants.a), job.zero);
}
