fn loadElement(index: u32) -> f32 {
  return bitcast<f32>(words[job.firstWord + index]);
}
