//#import "linalg/task"
//#import "linalg/inputs"
// For the Gram matrix G (rows x rows, 32 at most) of a panel P: the upper triangular T = R^-1 of G = transpose(R) R, so that
// P T has orthonormal columns and R a positive diagonal. One workgroup a matrix, one invocation a column.
//
// Columns are scaled to length 1 first. A pivot below FLOOR is rounding noise, since G is in float32, and so is its row:
// the pivot is raised to FLOOR and the row cleared, which keeps P T bounded and leaves the rest to the next round. A column
// without length gives a zero column.
// The size is not a constant, lest a compiler unrolls all of this.

const FLOOR = 4e-6;
const SMALLEST = 1e-30;

var<workgroup> g: array<f32, 1024>;
var<workgroup> r: array<f32, 1024>;
var<workgroup> scale: array<f32, 32>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) j: u32) {
  let size = task.rows;
  let start = task.aOffset + group.z * task.aBatch + j * task.aStride;
  // G is symmetric: its row j is its column j.
  for (var q = 0u; q < size / 4u; q++) {
    let x = a[start + q];
    let at = 4u * q * size + j;
    g[at] = x.x;
    g[at + size] = x.y;
    g[at + 2u * size] = x.z;
    g[at + 3u * size] = x.w;
  }
  let square = g[j * size + j];
  var own = 0.0;
  if (square > SMALLEST) {
    own = 1.0 / sqrt(square);
  }
  scale[j] = own;
  workgroupBarrier();
  for (var i = 0u; i < size; i++) {
    g[i * size + j] *= scale[i] * own;
  }
  for (var k = 0u; k < size; k++) {
    workgroupBarrier();
    var root = 1.0;
    var x = 0.0;
    if (scale[k] > 0.0) {
      let pivot = g[k * size + k];
      root = sqrt(max(pivot, FLOOR));
      if (pivot > FLOOR) {
        x = g[k * size + j] / root;
      }
    }
    if (j == k) {
      x = root;
    }
    r[k * size + j] = x;
    workgroupBarrier();
    for (var i = k + 1u; i <= j; i++) {
      g[i * size + j] -= r[k * size + i] * x;
    }
  }
  workgroupBarrier();
  // Column j of R^-1 by back substitution, over g, which is no longer needed: invocations share no column.
  for (var i = size; i > 0u; ) {
    i--;
    var x = select(0.0, 1.0, i == j);
    for (var k = i + 1u; k <= j; k++) {
      x -= r[i * size + k] * g[k * size + j];
    }
    g[i * size + j] = x / r[i * size + i];
  }
  workgroupBarrier();
  // Whole vec4s are written: row j here.
  let to = task.cOffset + group.z * task.cBatch + j * task.cStride;
  for (var q = 0u; q < size / 4u; q++) {
    let at = j * size + 4u * q;
    c[to + q] = own * vec4<f32>(g[at], g[at + 1u], g[at + 2u], g[at + 3u]);
  }
}
