//#import "generators/uploaded"
// Values that the host made, as they are: fewer than 16 normals, which PyTorch makes in float64, and laws that PyTorch makes
// in as many calls as it takes.

fn sampleElement(index: u32) -> f32 {
  return bitcast<f32>(uploaded[index]);
}
