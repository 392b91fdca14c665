//#import "random/rounded"
//#import "$mulAdd"
// A uniform value from an integer k of random bits. constants = (scale, offset, zeroPoint, step), all exact float32 numbers.
// CPU reference: affineConstants in src/generators/draw-constants.ts, and the samplers that use it.

fn affine(k: u32, constants: vec4<f32>, zero: u32) -> f32 {
  let unit = (f32(k) - constants.z) * constants.w; // exact
  if (constants.y == 0.0) {
    return rounded(unit * constants.x, zero);
  }
  return mulAdd(unit, constants.x, constants.y, zero);
}
