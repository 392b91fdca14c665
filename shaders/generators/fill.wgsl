//#import "core/job"
//#import "$sampler"
//#import "$store"
// Fills a window element by element, for generators whose words do not come in blocks of four neighbouring elements.
// The slot $sampler provides sampleElement(index) -> f32, where index counts from the window's first element.

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let quads = (job.elementCount >> 2u) + select(0u, 1u, (job.elementCount & 3u) != 0u);
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad < quads; quad += stride) {
    // This is a loop so that a driver compiles the sampler only once.
    var values: vec4<f32>;
    for (var lane = 0u; lane < 4u; lane++) {
      values[lane] = sampleElement(quad * 4u + lane);
    }
    storeQuad(quad, values);
  }
}
