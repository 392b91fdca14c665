//#import "orthogonal/task"
// Gives a vector that vanished (because it lay in the span of the vectors before it) a pseudo-random direction, which is the
// same on every run. There is one workgroup per vector, which has `depth` elements and is padded to `columns` vec4s.

const DEAD = 1e-4;
const LANES = 64u;

var<workgroup> lanes: array<f32, LANES>;

/// A pseudo-random word for (row, column): a linear combination, mixed by lowbias32 (Wellons 2018).
fn mixed(row: u32, column: u32) -> u32 {
  var x = row * 0x9e3779b1u + column * 0x85ebca77u + 0x27d4eb2fu;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let vector = group.x;
  let start = task.cOffset + group.z * task.cBatch + vector * task.cStride;
  var own = 0.0;
  for (var i = lane; i < task.columns; i += LANES) {
    own += dot(c[start + i], c[start + i]);
  }
  lanes[lane] = own;
  workgroupBarrier();
  var square = 0.0;
  for (var i = 0u; i < LANES; i++) {
    square += lanes[i];
  }
  if (square < DEAD) {
    for (var i = lane; i < task.columns; i += LANES) {
      let row = 4u * i + vec4<u32>(0u, 1u, 2u, 3u);
      let words = vec4<u32>(mixed(row.x, vector), mixed(row.y, vector), mixed(row.z, vector), mixed(row.w, vector));
      let random = (vec4<f32>(words >> vec4<u32>(8u)) - 8388607.5) * 0x1p-23f;
      c[start + i] = select(vec4<f32>(), random, row < vec4<u32>(task.depth));
    }
  }
}
