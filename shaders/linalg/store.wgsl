//#import "core/job"
//#import "$store"
// Padded vectors -> parameter, times the gain. The job's fields here: key = (columns of the parameter, elements of one
// matrix), counter = (stride, batch stride) of the padded vectors in floats, shift = 1 where the vectors are the
// parameter's rows, law.a.x = gain.  $store: storeQuad(quad, values).

@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;

fn element(index: u32) -> f32 {
  let batch = index / job.key.y;
  let within = index % job.key.y;
  let row = within / job.key.x;
  let column = within % job.key.x;
  let vector = select(column, row, job.shift == 1u);
  let at = batch * job.counter.y + vector * job.counter.x + select(row, column, job.shift == 1u);
  return a[at >> 2u][at & 3u] * bitcast<f32>(job.law.a.x);
}

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let quads = (job.elementCount >> 2u) + select(0u, 1u, (job.elementCount & 3u) != 0u);
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  let last = job.elementCount - 1u;
  for (var quad = id.x; quad < quads; quad += stride) {
    let e = 4u * quad;
    storeQuad(quad, vec4<f32>(
      element(e),
      element(min(e + 1u, last)),
      element(min(e + 2u, last)),
      element(min(e + 3u, last)),
    ));
  }
}
