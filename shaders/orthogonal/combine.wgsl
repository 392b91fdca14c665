//#import "orthogonal/parts"
// Adds up the parts that orthogonal/gram left, always in the same order, and transposes the sum if the flags say so. Each
// invocation computes one 4 x 4 block.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  var total = addParts(id.y, j, id.z);
  var row = 4u * id.y;
  var column = j;
  if ((task.flags & FLIP) != 0u) {
    total = transpose(total);
    row = 4u * j;
    column = id.y;
  }
  let w = task.cStride;
  let r = task.cOffset + id.z * task.cBatch + row * w + column;
  c[r] = total[0];
  c[r + w] = total[1];
  c[r + 2u * w] = total[2];
  c[r + 3u * w] = total[3];
}
