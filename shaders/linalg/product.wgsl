//#import "linalg/task"
// c = a * b, or c - a * b. With UPPER, b is upper triangular: a column's sum ends at its block of 64.
// 8 x 8 elements an invocation and 32 x 64 a workgroup, as in linalg/gram.

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let i = (group.y * 4u + id.y) * 8u;
  let j = (group.x * 8u + id.x) * 2u;
  if (j >= task.columns || i >= task.rows) {
    return;
  }
  let s = task.aStride;
  let t = task.bStride;
  let w = task.cStride;
  var p = task.aOffset + group.z * task.aBatch + i * s;
  var q = task.bOffset + group.z * task.bBatch + j;
  let r = task.cOffset + group.z * task.cBatch + i * w + j;
  let depth = select(task.depth, min(task.depth, 64u * (group.x + 1u)), (task.flags & UPPER) != 0u) / 4u;
  var c00 = mat4x4<f32>();
  var c01 = mat4x4<f32>();
  var c10 = mat4x4<f32>();
  var c11 = mat4x4<f32>();
  for (var k = 0u; k < depth; k++) {
    let a0 = mat4x4<f32>(a[p], a[p + s], a[p + 2u * s], a[p + 3u * s]);
    let a1 = mat4x4<f32>(a[p + 4u * s], a[p + 5u * s], a[p + 6u * s], a[p + 7u * s]);
    let b0 = mat4x4<f32>(b[q], b[q + t], b[q + 2u * t], b[q + 3u * t]);
    let b1 = mat4x4<f32>(b[q + 1u], b[q + t + 1u], b[q + 2u * t + 1u], b[q + 3u * t + 1u]);
    c00 += b0 * a0;
    c01 += b1 * a0;
    c10 += b0 * a1;
    c11 += b1 * a1;
    p += 1u;
    q += 4u * t;
  }
  if ((task.flags & SUBTRACT) != 0u) {
    c00 = mat4x4<f32>(c[r], c[r + w], c[r + 2u * w], c[r + 3u * w]) - c00;
    c01 = mat4x4<f32>(c[r + 1u], c[r + w + 1u], c[r + 2u * w + 1u], c[r + 3u * w + 1u]) - c01;
    c10 = mat4x4<f32>(c[r + 4u * w], c[r + 5u * w], c[r + 6u * w], c[r + 7u * w]) - c10;
    c11 = mat4x4<f32>(c[r + 4u * w + 1u], c[r + 5u * w + 1u], c[r + 6u * w + 1u], c[r + 7u * w + 1u]) - c11;
  }
  c[r] = c00[0];
  c[r + 1u] = c01[0];
  c[r + w] = c00[1];
  c[r + w + 1u] = c01[1];
  c[r + 2u * w] = c00[2];
  c[r + 2u * w + 1u] = c01[2];
  c[r + 3u * w] = c00[3];
  c[r + 3u * w + 1u] = c01[3];
  c[r + 4u * w] = c10[0];
  c[r + 4u * w + 1u] = c11[0];
  c[r + 5u * w] = c10[1];
  c[r + 5u * w + 1u] = c11[1];
  c[r + 6u * w] = c10[2];
  c[r + 6u * w + 1u] = c11[2];
  c[r + 7u * w] = c10[3];
  c[r + 7u * w + 1u] = c11[3];
}
