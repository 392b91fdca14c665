//#import "core/job"
//#import "random/philox"
// Which word an element gets in PyTorch's CUDA kernels, in the layout 'torch-cuda-v1'. With T threads, element i belongs to thread
// i mod T and is that thread's element number floor(i / T), called its turn. A Philox block serves four turns of a thread.
// job.constants.c = (T, turn of the window's first element, thread of that element). CPU reference: src/generators/torch/cuda.ts.

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
