//#import "orthogonal/both_ways"
//#import "orthogonal/parts"
// c = b - the sum of the parts that orthogonal/gram left in a, in the order of orthogonal/combine; d = the transpose of c.
// Each invocation computes one 4 x 4 block.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let t = task.bStride;
  let q = task.bOffset + id.z * task.bBatch + 4u * id.y * t + j;
  let total = mat4x4<f32>(b[q], b[q + t], b[q + 2u * t], b[q + 3u * t]) - addParts(id.y, j, id.z);
  storeBothWays(total, id.y, j, id.z);
}
