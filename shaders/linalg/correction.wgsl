//#import "linalg/task"
// Turns the Gram matrix G of nearly orthonormal columns (c, upper tiles) into the upper triangular W that corrects them to
// first order: W = D (I - striu(D G D)), D = 1 / column lengths (a holds their squares). The columns Q W are orthonormal
// but for squares of the entries of D G D; W has a positive diagonal, so the Q of the QR factorisation stays that Q.
// Per 32 rows, the squares (or, with LARGEST, the largest squares) of the entries of striu(D G D) go to c + bOffset.

fn inverseLengths(squares: vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(), 1.0 / sqrt(squares), squares > vec4<f32>());
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let lengths = task.aOffset + id.z * task.aBatch;
  let own = inverseLengths(a[lengths + j]);
  let column = vec4<u32>(4u * j, 4u * j + 1u, 4u * j + 2u, 4u * j + 3u);
  let base = id.z * task.cBatch;
  var total = vec4<f32>();
  // Rows past the block of 64 that linalg/product stops at are never read.
  if (id.y * 32u < 64u * (j / 16u + 1u)) {
    for (var i = id.y * 32u; i < id.y * 32u + 32u; i++) {
      let at = base + task.cOffset + i * task.cStride + j;
      let d = inverseLengths(a[lengths + (i >> 2u)])[i & 3u];
      let e = select(vec4<f32>(), c[at] * (d * own), vec4<u32>(i) < column);
      if ((task.flags & LARGEST) != 0u) {
        total = max(total, e * e);
      } else {
        total += e * e;
      }
      c[at] = d * select(-e, vec4<f32>(1.0), vec4<u32>(i) == column);
    }
  }
  c[base + task.bOffset + id.y * task.bStride + j] = total;
}
