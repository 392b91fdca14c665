// Only for benchmarks: shaders/random/normal.wgsl with builtin functions, which WGSL does not define exactly, and without the
// steps that prevent fused operations. The difference in time is the cost of exactness.

fn normalQuad(words: vec4<u32>, deviation: f32, mean: f32, zero: u32) -> vec4<f32> {
  let u = (vec2<f32>(words.xz) + 0.5) * 0x1p-32f;
  let r = sqrt(-2.0 * log(u));
  let angle = (vec2<f32>(words.yw) + 0.5) * (6.2831853 * 0x1p-32f);
  let c = cos(angle);
  let s = sin(angle);
  return vec4<f32>(r.x * c.x, r.x * s.x, r.y * c.y, r.y * s.y) * deviation + mean;
}
