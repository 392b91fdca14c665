//#import "generators/torch_cuda"
//#import "random/libraries/curand"
// uniform_ on CUDA: u * scale + low, rounded once, for u in (0, 1]. A value equal to `high` becomes `low`.
// job.constants.a = (scale, low, high).

fn sampleElement(index: u32) -> f32 {
  let drawn = cudaWords(index);
  let value = fusedMultiplyAdd(curandUniform(drawn.words[drawn.component], job.zero), bitcast<vec4<f32>>(job.constants.a).x, bitcast<vec4<f32>>(job.constants.a).y, job.zero);
  return select(value, bitcast<vec4<f32>>(job.constants.a).y, value == bitcast<vec4<f32>>(job.constants.a).z);
}
