//#import "generators/host_words"
// Stores values that the host made: a fixed table, fewer than 16 normals, which PyTorch makes in float64, and distributions for
// which PyTorch makes a number of calls that is not known in advance.

fn sampleElement(index: u32) -> f32 {
  return bitcast<f32>(hostWords[index]);
}
