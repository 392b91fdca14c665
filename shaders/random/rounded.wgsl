// The barrier that makes float32 exact. WGSL lets a compiler fuse a*b+c into one rounding or reassociate it;
// it cannot look through an exclusive-or with a run-time value, which is 0. CPU reference: Math.fround.

fn rounded(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}
