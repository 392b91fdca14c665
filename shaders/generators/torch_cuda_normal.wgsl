//#import "generators/torch_cuda"
//#import "generators/scaled"
//#import "random/libraries/curand"
// normal_ on CUDA: Box-Muller with two words of the block, sine first. job.constants.a = (std, mean).

fn sampleElement(index: u32) -> f32 {
  let drawn = cudaWords(index);
  let pair = select(drawn.words.xy, drawn.words.zw, (drawn.component & 2u) != 0u);
  let direction = curandDirection(pair.y, job.zero);
  let trigonometric = select(direction.y, direction.x, (drawn.component & 1u) != 0u);
  return scaled(rounded(curandRadius(pair.x, job.zero) * trigonometric, job.zero), bitcast<vec4<f32>>(job.constants.a), job.zero);
}
