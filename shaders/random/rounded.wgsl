// A barrier that makes float32 arithmetic exact. WGSL allows a compiler to fuse a*b+c into one operation and to reassociate
// sums. An exclusive-or with a run-time value prevents this; the value is always 0, but the compiler cannot know that. CPU
// reference: Math.fround.

fn rounded(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}
