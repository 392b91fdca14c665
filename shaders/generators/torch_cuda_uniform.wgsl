//#import "generators/torch_cuda"
//#import "random/curand"
// uniform_ on CUDA: u in (0, 1], u * scale + low with one rounding; a value of `high` becomes `low`.
// law0 = (scale, low, high).

fn sampleElement(index: u32) -> f32 {
  let drawn = cudaWords(index);
  let value = fusedMultiplyAdd(curandUniform(drawn.words[drawn.component], job.zero), job.law0.x, job.law0.y, job.zero);
  return select(value, job.law0.y, value == job.law0.z);
}
