//#import "$job"
//#import "random/philox"
//#import "$sampler"
//#import "$store"
// Fills a window of one parameter. Every invocation makes groups of four elements, which is what one Philox block gives, and
// strides over the window. A value depends only on its element index, never on the size of the grid.
// The slot $sampler provides sampleWords(words, block, constants, zero) -> vec4<f32>, where block is the block's index within the
// parameter as (low, high). The slot $store provides storeQuad(quad, values).

/// philoxHighWord for the blocks before (first) and after (next) the counter's low word wraps within this window.
struct HighWords {
  first: vec2<u32>,
  next: vec2<u32>,
}

fn sampleBlock(block: u32, highWords: HighWords) -> vec4<f32> {
  let low = job.counter.x + block;
  let highWord = select(highWords.first, highWords.next, low < block);
  let index = job.block.x + block;
  let place = vec2<u32>(index, job.block.y + select(0u, 1u, index < block));
  return sampleWords(philoxBlock(low, highWord, job.key), place, job.constants, job.zero);
}

/// Four consecutive elements that start `shift` elements into block `quad`. The next block provides the rest of them.
fn sampleQuad(quad: u32, highWords: HighWords) -> vec4<f32> {
  let a = sampleBlock(quad, highWords);
  if (job.shift == 0u) {
    return a;
  }
  let b = sampleBlock(quad + 1u, highWords);
  if (job.shift == 1u) {
    return vec4<f32>(a.yzw, b.x);
  }
  if (job.shift == 2u) {
    return vec4<f32>(a.zw, b.xy);
  }
  return vec4<f32>(a.w, b.xyz);
}

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  takeJob(id.y);
  let quads = (job.elementCount >> 2u) + select(0u, 1u, (job.elementCount & 3u) != 0u);
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  let highWords = HighWords(philoxHighWord(job.counter.y, job.key), philoxHighWord(job.counter.y + 1u, job.key));
  for (var quad = id.x; quad < quads; quad += stride) {
    storeQuad(quad, sampleQuad(quad, highWords));
  }
}
