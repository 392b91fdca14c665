//#import "orthogonal/both_ways"
//#import "orthogonal/inputs"
// c = transpose(a) * b, where a is 32 x 32, and d = the transpose of c. Each invocation computes 8 x 4 elements: the sums
// are short, and the driver has little code to compile.

const PANEL = 32u;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.x;
  if (j >= task.columns) {
    return;
  }
  let row = 2u * id.y;
  var p = task.aOffset + id.z * task.aBatch + row;
  var q = task.bOffset + id.z * task.bBatch + j;
  var upper = mat4x4<f32>();
  var lower = mat4x4<f32>();
  for (var k = 0u; k < PANEL; k++) {
    let y = b[q];
    let x = a[p];
    let z = a[p + 1u];
    upper += mat4x4<f32>(x.x * y, x.y * y, x.z * y, x.w * y);
    lower += mat4x4<f32>(z.x * y, z.y * y, z.z * y, z.w * y);
    p += task.aStride;
    q += task.bStride;
  }
  storeBothWays(upper, row, j, id.z);
  storeBothWays(lower, row + 1u, j, id.z);
}
