//#import "linalg/parts"
// c = b - the sum of the parts that linalg/gram left in a, in the order of linalg/combine; d = the same, transposed. One
// 4 x 4 block an invocation.

@group(0) @binding(4) var<storage, read_write> d: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let t = task.bStride;
  let q = task.bOffset + id.z * task.bBatch + 4u * id.y * t + j;
  let total = mat4x4<f32>(b[q], b[q + t], b[q + 2u * t], b[q + 3u * t]) - addParts(id.y, j, id.z);
  let w = task.cStride;
  let r = task.cOffset + id.z * task.cBatch + 4u * id.y * w + j;
  c[r] = total[0];
  c[r + w] = total[1];
  c[r + 2u * w] = total[2];
  c[r + 3u * w] = total[3];
  let flipped = transpose(total);
  let v = task.dStride;
  let o = task.dOffset + id.z * task.dBatch + 4u * j * v + id.y;
  d[o] = flipped[0];
  d[o + v] = flipped[1];
  d[o + 2u * v] = flipped[2];
  d[o + 3u * v] = flipped[3];
}
