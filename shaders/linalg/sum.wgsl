//#import "linalg/task"
// Adds up the parts that linalg/gram or linalg/squares left, always in the same order.

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let start = task.aOffset + id.z * task.aBatch + id.y * task.aStride + j;
  var total = vec4<f32>();
  for (var split = 0u; split < task.splits; split++) {
    total += a[start + split * task.splitStride];
  }
  c[task.cOffset + id.z * task.cBatch + id.y * task.cStride + j] = total;
}
