//#import "core/job"
//#import "random/philox"
//#import "$sampler"
//#import "$store"
// Fills a window of one parameter. Every invocation makes groups of four elements, the yield of one Philox block, and
// strides over the window: a value depends on its element index alone, never on the grid.
// $sampler: sampleWords(words, block, law, zero) -> vec4<f32>, block being the index within the parameter as (low, high);
// $store: storeQuad(quad, values).

fn sampleBlock(block: u32) -> vec4<f32> {
  let low = job.counter.x + block;
  let high = job.counter.y + select(0u, 1u, low < block);
  let index = job.block.x + block;
  let place = vec2<u32>(index, job.block.y + select(0u, 1u, index < block));
  return sampleWords(philox4x32(vec4<u32>(low, high, 0u, 0u), job.key), place, job.law, job.zero);
}

/// Four consecutive elements that start `shift` places into block `quad`; the next block gives the rest.
fn sampleQuad(quad: u32) -> vec4<f32> {
  let a = sampleBlock(quad);
  if (job.shift == 0u) {
    return a;
  }
  let b = sampleBlock(quad + 1u);
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
  let quads = (job.elementCount >> 2u) + select(0u, 1u, (job.elementCount & 3u) != 0u);
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad < quads; quad += stride) {
    storeQuad(quad, sampleQuad(quad));
  }
}
