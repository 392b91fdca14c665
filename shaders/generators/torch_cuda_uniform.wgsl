//#import "generators/torch_cuda"
//#import "random/libraries/curand"
// uniform_ on CUDA: u in (0, 1], u * scale + low with one rounding; a value of `high` becomes `low`.
// distribution.a = (scale, low, high).

fn sampleElement(index: u32) -> f32 {
  let drawn = cudaWords(index);
  let value = fusedMultiplyAdd(curandUniform(drawn.words[drawn.component], job.zero), bitcast<vec4<f32>>(job.constants.a).x, bitcast<vec4<f32>>(job.constants.a).y, job.zero);
  return select(value, bitcast<vec4<f32>>(job.constants.a).y, value == bitcast<vec4<f32>>(job.constants.a).z);
}
