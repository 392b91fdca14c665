//#import "linalg/task"
// Gives columns that vanished (their original lay in the span of those before it) a pseudo-random direction, the same on
// every run. a: squared lengths of the columns; c: the matrix; `rows` x `depth` elements of it are real.

const DEAD = 1e-4;

/// A word of (row, column), well mixed (Wang's finish of a Weyl step).
fn mixed(row: u32, column: u32) -> u32 {
  var x = row * 0x9e3779b1u + column * 0x85ebca77u + 0x27d4eb2fu;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let first = 4u * j;
  let column = vec4<u32>(first, first + 1u, first + 2u, first + 3u);
  let squares = a[task.aOffset + id.z * task.aBatch + j];
  let dead = (squares < vec4<f32>(DEAD)) & (column < vec4<u32>(task.depth));
  for (var i = id.y; i < task.rows; i += groups.y) {
    let at = task.cOffset + id.z * task.cBatch + i * task.cStride + j;
    let words = vec4<u32>(mixed(i, first), mixed(i, first + 1u), mixed(i, first + 2u), mixed(i, first + 3u));
    let random = (vec4<f32>(words >> vec4<u32>(8u)) - 8388607.5) * 0x1p-23f;
    c[at] = select(c[at], random, dead);
  }
}
