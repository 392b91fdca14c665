//#import "linalg/task"
// For the 32 x 32 Gram matrix G of a panel P (in parts, added here): the upper triangular T = R^-1 of G = transpose(R) R,
// so that P T has orthonormal columns and R a positive diagonal. One workgroup a matrix, one invocation a column.
//
// Columns are scaled to length 1 first. A pivot below FLOOR is rounding noise, since G is in float32: it is raised to
// FLOOR, which keeps P T bounded and leaves the rest to the next round. A column without length gives a zero column.

const SIZE = 32u;
const FLOOR = 4e-6;
const SMALLEST = 1e-30;

var<workgroup> g: array<f32, 1024>;
var<workgroup> r: array<f32, 1024>;
var<workgroup> scale: array<f32, 32>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) j: u32) {
  let start = task.aOffset + group.z * task.aBatch + (j >> 2u);
  for (var i = 0u; i < SIZE; i++) {
    var total = 0.0;
    for (var split = 0u; split < task.splits; split++) {
      total += a[start + split * task.splitStride + i * task.aStride][j & 3u];
    }
    g[i * SIZE + j] = total;
  }
  let square = g[j * SIZE + j];
  var own = 0.0;
  if (square > SMALLEST) {
    own = 1.0 / sqrt(square);
  }
  scale[j] = own;
  workgroupBarrier();
  for (var i = 0u; i < SIZE; i++) {
    g[i * SIZE + j] *= scale[i] * own;
  }
  for (var k = 0u; k < SIZE; k++) {
    workgroupBarrier();
    let alive = scale[k] > 0.0;
    var root = 1.0;
    var x = 0.0;
    if (alive) {
      root = sqrt(max(g[k * SIZE + k], FLOOR));
      x = g[k * SIZE + j] / root;
    }
    if (j == k) {
      x = root;
    }
    r[k * SIZE + j] = x;
    workgroupBarrier();
    if (j > k) {
      for (var i = k + 1u; i <= j; i++) {
        g[i * SIZE + j] -= r[k * SIZE + i] * x;
      }
    }
  }
  workgroupBarrier();
  // Column j of R^-1 by back substitution, over g, which is no longer needed: invocations share no column.
  for (var i = SIZE; i > 0u; ) {
    i--;
    var x = 0.0;
    if (i == j) {
      x = 1.0 / r[i * SIZE + i];
    } else if (i < j) {
      for (var k = i + 1u; k <= j; k++) {
        x -= r[i * SIZE + k] * g[k * SIZE + j];
      }
      x /= r[i * SIZE + i];
    }
    g[i * SIZE + j] = x;
  }
  workgroupBarrier();
  // Whole vec4s are written: row j here.
  let to = task.cOffset + group.z * task.cBatch + j * task.cStride;
  for (var q = 0u; q < SIZE / 4u; q++) {
    let at = j * SIZE + 4u * q;
    c[to + q] = own * vec4<f32>(g[at], g[at + 1u], g[at + 2u], g[at + 3u]);
  }
}
