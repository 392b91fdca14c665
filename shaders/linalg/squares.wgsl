//#import "linalg/task"
// Sums of squares of a's columns over `chunk` rows each. Short sums first: a norm is good to a few units in the last place.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let first = id.y * task.chunk;
  let last = min(first + task.chunk, task.depth);
  let start = task.aOffset + id.z * task.aBatch + j;
  var total = vec4<f32>();
  for (var i = first; i < last; i++) {
    let x = a[start + i * task.aStride];
    total += x * x;
  }
  c[task.cOffset + id.z * task.cBatch + id.y * task.cStride + j] = total;
}
