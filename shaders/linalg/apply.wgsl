//#import "linalg/task"
//#import "linalg/inputs"
// c = transpose(a) * b for a of 32 x 32, and d = the same, transposed. 8 x 4 elements an invocation: the sums are short, and
// so is what a driver has to compile.

@group(0) @binding(4) var<storage, read_write> d: array<vec4<f32>>;

const PANEL = 32u;

fn store(x: mat4x4<f32>, row: u32, column: u32, batch: u32) {
  let w = task.cStride;
  let r = task.cOffset + batch * task.cBatch + 4u * row * w + column;
  c[r] = x[0];
  c[r + w] = x[1];
  c[r + 2u * w] = x[2];
  c[r + 3u * w] = x[3];
  let flipped = transpose(x);
  let v = task.dStride;
  let o = task.dOffset + batch * task.dBatch + 4u * column * v + row;
  d[o] = flipped[0];
  d[o + v] = flipped[1];
  d[o + 2u * v] = flipped[2];
  d[o + 3u * v] = flipped[3];
}

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
  store(upper, row, j, id.z);
  store(lower, row + 1u, j, id.z);
}
