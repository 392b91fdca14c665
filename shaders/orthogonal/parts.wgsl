//#import "orthogonal/task"
//#import "orthogonal/inputs"

/// Adds up the parts of the 4 x 4 block (row, column) that orthogonal/gram left, in a fixed order.
fn addParts(row: u32, column: u32, batch: u32) -> mat4x4<f32> {
  let s = task.aStride;
  var p = task.aOffset + batch * task.aBatch + 4u * row * s + column;
  var total = mat4x4<f32>();
  for (var split = 0u; split < task.splits; split++) {
    total += mat4x4<f32>(a[p], a[p + s], a[p + 2u * s], a[p + 3u * s]);
    p += task.splitStride;
  }
  return total;
}
