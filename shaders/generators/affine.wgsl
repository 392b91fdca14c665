//#import "random/rounded"
//#import "$mulAdd"
// A uniform law over the integers k: law = (scale, offset, origin, step), all exact float32.
// Twin: affineLaw in src/generators/laws.ts, and the samplers that use it.

fn affine(k: u32, law: vec4<f32>, zero: u32) -> f32 {
  let unit = (f32(k) - law.z) * law.w; // exact
  if (law.y == 0.0) {
    return rounded(unit * law.x, zero);
  }
  return mulAdd(unit, law.x, law.y, zero);
}
