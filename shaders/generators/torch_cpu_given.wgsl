//#import "generators/uploaded"
// Fewer than 16 normals, which PyTorch makes in float64: the host's values as they are.

fn sampleElement(index: u32) -> f32 {
  return bitcast<f32>(uploaded[index]);
}
