//#import "core/job"
//#import "random/philox"
// Which word an element gets in PyTorch's CUDA kernels, layout 'torch-cuda-v1': thread i mod T, turn floor(i / T); four
// turns to a Philox block. job.distribution.c = (T, turn and thread of the window's first element). CPU reference: src/generators/torch/cuda.ts.

struct CudaWords {
  words: vec4<u32>,
  component: u32,
}

fn cudaWords(index: u32) -> CudaWords {
  let at = job.constants.c.z + index;
  let turn = job.constants.c.y + at / job.constants.c.x;
  let low = job.counter.x + (turn >> 2u);
  let high = job.counter.y + select(0u, 1u, low < job.counter.x);
  let words = philox4x32(vec4<u32>(low, high, at % job.constants.c.x, 0u), job.key);
  return CudaWords(words, turn & 3u);
}
