//#import "linalg/task"
// c = transpose(a) * b, a of 32 columns, in parts of the depth that linalg/combine adds up: the order of every sum is
// fixed. The one matrix product of the factorisation, so everything is arranged to be of this form.
//
// An invocation makes 16 x 8 elements from registers, four rows of a and b at a time as 4 x 4 blocks. a comes through a
// uniform window of 512 rows: all that read it want the same or neighbouring words, which constant caches serve well, and
// a software device reads uniforms several times faster than storage.

struct Window {
  quads: array<vec4<f32>, 4096>,
}

@group(0) @binding(2) var<uniform> a: Window;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;

fn transposedBlock(at: u32) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(a.quads[at], a.quads[at + 8u], a.quads[at + 16u], a.quads[at + 24u]));
}

@compute @workgroup_size(16, 2)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let j = (group.x * 16u + id.x) * 2u;
  if (j >= task.columns) {
    return;
  }
  let batch = group.z / task.splits;
  let split = group.z % task.splits;
  let first = split * task.chunk;
  let last = min(first + task.chunk, task.depth);
  let t = task.bStride;
  var p = batch * task.aBatch + first * 8u + id.y * 4u;
  var q = task.bOffset + batch * task.bBatch + first * t + j;
  var c00 = mat4x4<f32>();
  var c01 = mat4x4<f32>();
  var c10 = mat4x4<f32>();
  var c11 = mat4x4<f32>();
  var c20 = mat4x4<f32>();
  var c21 = mat4x4<f32>();
  var c30 = mat4x4<f32>();
  var c31 = mat4x4<f32>();
  for (var k = first; k < last; k += 4u) {
    let b0 = mat4x4<f32>(b[q], b[q + t], b[q + 2u * t], b[q + 3u * t]);
    let b1 = mat4x4<f32>(b[q + 1u], b[q + t + 1u], b[q + 2u * t + 1u], b[q + 3u * t + 1u]);
    let a0 = transposedBlock(p);
    c00 += b0 * a0;
    c01 += b1 * a0;
    let a1 = transposedBlock(p + 1u);
    c10 += b0 * a1;
    c11 += b1 * a1;
    let a2 = transposedBlock(p + 2u);
    c20 += b0 * a2;
    c21 += b1 * a2;
    let a3 = transposedBlock(p + 3u);
    c30 += b0 * a3;
    c31 += b1 * a3;
    p += 32u;
    q += 4u * t;
  }
  let s = task.cStride;
  var r = task.cOffset + batch * task.cBatch + split * task.splitStride + id.y * 16u * s + j;
  for (var i = 0u; i < 4u; i++) {
    c[r] = c00[i];
    c[r + 1u] = c01[i];
    c[r + 4u * s] = c10[i];
    c[r + 4u * s + 1u] = c11[i];
    c[r + 8u * s] = c20[i];
    c[r + 8u * s + 1u] = c21[i];
    c[r + 12u * s] = c30[i];
    c[r + 12u * s + 1u] = c31[i];
    r += s;
  }
}
