//#import "linalg/task"
// c = transpose(a) * b, in parts of the depth that linalg/sum adds up: the order of every sum is fixed. An invocation
// makes 8 x 8 elements from registers, four rows of a and b at a time as 4 x 4 blocks; a workgroup makes 32 x 64.

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let i = (group.y * 4u + id.y) * 2u;
  let j = (group.x * 8u + id.x) * 2u;
  let skip = (task.flags & UPPER) != 0u && 2u * (group.x + 1u) <= group.y;
  if (skip || j >= task.columns || i * 4u >= task.rows) {
    return;
  }
  let batch = group.z / task.splits;
  let split = group.z % task.splits;
  let first = split * task.chunk;
  let last = min(first + task.chunk, task.depth);
  var p = task.aOffset + batch * task.aBatch + first * task.aStride + i;
  var q = task.bOffset + batch * task.bBatch + first * task.bStride + j;
  let s = task.aStride;
  let t = task.bStride;
  var c00 = mat4x4<f32>();
  var c01 = mat4x4<f32>();
  var c10 = mat4x4<f32>();
  var c11 = mat4x4<f32>();
  for (var k = first; k < last; k += 4u) {
    let a0 = transpose(mat4x4<f32>(a[p], a[p + s], a[p + 2u * s], a[p + 3u * s]));
    let a1 = transpose(mat4x4<f32>(a[p + 1u], a[p + s + 1u], a[p + 2u * s + 1u], a[p + 3u * s + 1u]));
    let b0 = mat4x4<f32>(b[q], b[q + t], b[q + 2u * t], b[q + 3u * t]);
    let b1 = mat4x4<f32>(b[q + 1u], b[q + t + 1u], b[q + 2u * t + 1u], b[q + 3u * t + 1u]);
    c00 += b0 * a0;
    c01 += b1 * a0;
    c10 += b0 * a1;
    c11 += b1 * a1;
    p += 4u * s;
    q += 4u * t;
  }
  let w = task.cStride;
  let r = task.cOffset + batch * task.cBatch + split * task.splitStride + i * 4u * w + j;
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
