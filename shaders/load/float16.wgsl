// IEEE binary16 -> float32 in integers and exact float32 operations, subnormals, infinity and NaN included.

fn loadElement(index: u32) -> f32 {
  let half = (words[job.firstWord + (index >> 1u)] >> (16u * (index & 1u))) & 0xffffu;
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 0x1fu;
  let fraction = half & 0x3ffu;
  if (exponent == 0u) {
    return bitcast<f32>(bitcast<u32>(f32(fraction) * 0x1p-24f) | sign);
  }
  if (exponent == 31u) {
    return bitcast<f32>(sign | 0x7f800000u | (fraction << 13u));
  }
  return bitcast<f32>(sign | ((exponent + 112u) << 23u) | (fraction << 13u));
}
