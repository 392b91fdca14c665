//#import "core/job"
//#import "$store"
// Copies the padded vectors, times the gain, to the parameter. The job's fields mean here: key = (columns of the parameter,
// elements of one matrix), counter = (stride, batch stride) of the padded vectors in floats, shift = 1 if the vectors are
// the parameter's rows, distribution.a.x = gain.  $store: storeQuad(quad, values).

@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;

/// An element of the parameter: matrix, row and column.
struct Place {
  batch: u32,
  row: u32,
  column: u32,
}

fn element(place: Place) -> f32 {
  let turned = job.shift == 1u;
  let vector = select(place.column, place.row, turned);
  let i = select(place.row, place.column, turned);
  let at = place.batch * job.counter.y + vector * job.counter.x + i;
  return a[at >> 2u][at & 3u] * bitcast<f32>(job.constants.a.x);
}

/// The next element. After the last element it is one of the first matrix, which is not used but must exist.
fn after(place: Place) -> Place {
  var next = Place(place.batch, place.row, place.column + 1u);
  if (next.column == job.key.x) {
    next = Place(place.batch, place.row + 1u, 0u);
    if (next.row * job.key.x == job.key.y) {
      next = Place(select(place.batch + 1u, 0u, (place.batch + 1u) * job.key.y >= job.elementCount), 0u, 0u);
    }
  }
  return next;
}

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let quads = (job.elementCount >> 2u) + select(0u, 1u, (job.elementCount & 3u) != 0u);
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad < quads; quad += stride) {
    let index = 4u * quad;
    let batch = index / job.key.y;
    let within = index - batch * job.key.y;
    let row = within / job.key.x;
    let p = Place(batch, row, within - row * job.key.x);
    let q = after(p);
    let r = after(q);
    storeQuad(quad, vec4<f32>(element(p), element(q), element(r), element(after(r))));
  }
}
