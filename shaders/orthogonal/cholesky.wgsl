//#import "orthogonal/task"
//#import "orthogonal/inputs"
// The Gram matrix G (32 x 32) of a panel P is in a, in the parts that orthogonal/gram left. Computes the upper triangular
// T = R^-1 of G = transpose(R) R, so that P T has orthonormal columns and R a positive diagonal. There is one workgroup per
// matrix and one invocation per column.
//
// The kernel also measures the panel, in one record per matrix in d, combined over the panels:
//   x: the squared length that the projection removed from a vector, divided by the length that it left and by a limit
//   y: the number of vectors without length
//   z: the largest |G - I|; in the only round of a panel 1 if a pivot shows that one round is not enough
//   w: 1 if an element is not finite
// b holds the products with the previous vectors (depth x 32), `rows` is the number of columns that are not padding, and
// `chunk` holds the bits of the limit.
//
// The columns are first scaled to length 1. G is in float32, so a pivot below FLOOR and its row are only rounding noise. The
// pivot is then raised to FLOOR and the row is cleared, which keeps P T bounded and leaves the correction to the next round.
// A column without length gives a zero column.
// The size is a variable, because some compilers would unroll every loop over a constant size.

const LANES = 32u;
const FLOOR = 4e-6;
const SMALLEST = 1e-30;
const DEAD = 1e-4;
// After one round the remaining error is about the rounding error divided by the smallest pivot.
const ONE_ROUND = 0.5;

@group(0) @binding(4) var<storage, read_write> d: array<vec4<f32>>;

var<workgroup> g: array<f32, 1024>;
var<workgroup> r: array<f32, 1024>;
var<workgroup> scale: array<f32, LANES>;
var<workgroup> lanes: array<vec4<f32>, LANES>;

fn isFinite(x: f32) -> bool {
  // This tests the bits, because a device may assume that NaN and infinity do not occur.
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

/// The squared length that the projection removed from vector j.
fn takenOff(batch: u32, j: u32) -> f32 {
  var total = vec4<f32>();
  for (var k = j / 8u; k < task.depth; k += LANES / 8u) {
    let x = b[task.bOffset + batch * task.bBatch + k * 8u + j % 8u];
    total += x * x;
  }
  lanes[j] = total;
  workgroupBarrier();
  let q = j >> 2u;
  total = lanes[q] + lanes[q + 8u] + lanes[q + 16u] + lanes[q + 24u];
  workgroupBarrier();
  return total[j & 3u];
}

/// The measurement of column j.
fn look(batch: u32, j: u32, size: u32) -> vec4<f32> {
  var own = vec4<f32>();
  if ((task.flags & PROJECTED) != 0u) {
    own.x = takenOff(batch, j) / (bitcast<f32>(task.chunk) * max(g[j * size + j], 1e-30));
  }
  if ((task.flags & (ORTHONORMAL | INDEPENDENT)) != 0u) {
    for (var i = 0u; i < task.rows; i++) {
      let x = g[i * size + j];
      if (!isFinite(x)) {
        own.w = 1.0;
      }
      if ((task.flags & ORTHONORMAL) != 0u) {
        own.z = max(own.z, abs(x - select(0.0, 1.0, i == j)));
        own.y += select(0.0, 1.0, i == j && x < DEAD);
      }
    }
  }
  return own;
}

/// Combines the measurements of the columns.
fn record(batch: u32, j: u32, own: vec4<f32>) {
  lanes[j] = select(vec4<f32>(), own, j < task.rows);
  workgroupBarrier();
  if (j == 0u) {
    var worst = select(d[batch], vec4<f32>(), (task.flags & FIRST) != 0u);
    for (var i = 0u; i < LANES; i++) {
      let x = lanes[i];
      worst = vec4<f32>(max(worst.x, x.x), worst.y + x.y, max(worst.zw, x.zw));
    }
    d[batch] = worst;
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) j: u32) {
  let size = task.columns;
  let start = task.aOffset + group.z * task.aBatch + j * task.aStride;
  // G is symmetric, so its row j is its column j.
  for (var q = 0u; q < size / 4u; q++) {
    var x = a[start + q];
    for (var split = 1u; split < task.splits; split++) {
      x += a[start + split * task.splitStride + q];
    }
    let at = 4u * q * size + j;
    g[at] = x.x;
    g[at + size] = x.y;
    g[at + 2u * size] = x.z;
    g[at + 3u * size] = x.w;
  }
  let looks = (task.flags & (PROJECTED | ORTHONORMAL | INDEPENDENT)) != 0u;
  var seen = vec4<f32>();
  if (looks) {
    seen = look(group.z, j, size);
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
  if (looks) {
    let root = r[j * size + j];
    if ((task.flags & INDEPENDENT) != 0u && (own == 0.0 || root * root < ONE_ROUND)) {
      seen.z = 1.0;
    }
    record(group.z, j, seen);
  }
  workgroupBarrier();
  // Column j of R^-1 by back substitution. It overwrites g, which is no longer needed; every invocation has its own column.
  for (var i = size; i > 0u; ) {
    i--;
    var x = select(0.0, 1.0, i == j);
    for (var k = i + 1u; k <= j; k++) {
      x -= r[i * size + k] * g[k * size + j];
    }
    g[i * size + j] = x / r[i * size + i];
  }
  workgroupBarrier();
  // Whole vec4s are written, so this invocation writes row j.
  let to = task.cOffset + group.z * task.cBatch + j * task.cStride;
  for (var q = 0u; q < size / 4u; q++) {
    let at = j * size + 4u * q;
    c[to + q] = own * vec4<f32>(g[at], g[at + 1u], g[at + 2u], g[at + 3u]);
  }
}
