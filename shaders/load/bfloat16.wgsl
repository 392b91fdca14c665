fn loadElement(index: u32) -> f32 {
  let half = (words[job.firstWord + (index >> 1u)] >> (16u * (index & 1u))) & 0xffffu;
  return bitcast<f32>(half << 16u);
}
