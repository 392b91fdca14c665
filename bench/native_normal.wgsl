// For measuring only: shaders/random/normal.wgsl with the builtins that WGSL leaves inexact, and nothing that keeps a compiler
// from fusing. What exactness costs is the difference.

fn normalQuad(words: vec4<u32>, deviation: f32, mean: f32, zero: u32) -> vec4<f32> {
  let u = (vec2<f32>(words.xz) + 0.5) * 0x1p-32f;
  let r = sqrt(-2.0 * log(u));
  let angle = (vec2<f32>(words.yw) + 0.5) * (6.2831853 * 0x1p-32f);
  let c = cos(angle);
  let s = sin(angle);
  return vec4<f32>(r.x * c.x, r.x * s.x, r.y * c.y, r.y * s.y) * deviation + mean;
}
