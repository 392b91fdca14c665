//#import "linalg/task"
//#import "linalg/inputs"
// Adds up the parts that linalg/gram left, always in the same order, and transposes the sum if the flags say so. One 4 x 4
// block an invocation.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let s = task.aStride;
  var p = task.aOffset + id.z * task.aBatch + 4u * id.y * s + j;
  var total = mat4x4<f32>();
  for (var split = 0u; split < task.splits; split++) {
    total += mat4x4<f32>(a[p], a[p + s], a[p + 2u * s], a[p + 3u * s]);
    p += task.splitStride;
  }
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
