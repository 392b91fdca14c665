//#import "linalg/task"
// c = transpose(a) * b, a of 32 columns, in parts of the depth that linalg/combine adds up: the order of every sum is
// fixed. The one matrix product of the factorisation, so everything is arranged to be of this form.
//
// An invocation makes 16 x 8 elements in registers, two rows of a and b at a time; a workgroup takes one half of a's columns,
// so that all its invocations want the same words of a. They come through a uniform window of 512 rows: constant caches
// serve that well, and a software device reads uniforms in half the time of storage (bench/NOTES-orthogonal.md).

struct Window {
  quads: array<vec4<f32>, 4096>,
}

@group(0) @binding(2) var<uniform> a: Window;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;

override LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let j = (group.x * LANES + lane) * 2u;
  if (j >= task.columns) {
    return;
  }
  let batch = group.z / task.splits;
  let split = group.z % task.splits;
  let first = split * task.chunk;
  let last = min(first + task.chunk, task.depth);
  let t = task.bStride;
  var p = batch * task.aBatch + first * 8u + group.y * 4u;
  var q = task.bOffset + batch * task.bBatch + first * t + j;
  var l0 = vec4<f32>();
  var r0 = vec4<f32>();
  var l1 = vec4<f32>();
  var r1 = vec4<f32>();
  var l2 = vec4<f32>();
  var r2 = vec4<f32>();
  var l3 = vec4<f32>();
  var r3 = vec4<f32>();
  var l4 = vec4<f32>();
  var r4 = vec4<f32>();
  var l5 = vec4<f32>();
  var r5 = vec4<f32>();
  var l6 = vec4<f32>();
  var r6 = vec4<f32>();
  var l7 = vec4<f32>();
  var r7 = vec4<f32>();
  var l8 = vec4<f32>();
  var r8 = vec4<f32>();
  var l9 = vec4<f32>();
  var r9 = vec4<f32>();
  var la = vec4<f32>();
  var ra = vec4<f32>();
  var lb = vec4<f32>();
  var rb = vec4<f32>();
  var lc = vec4<f32>();
  var rc = vec4<f32>();
  var ld = vec4<f32>();
  var rd = vec4<f32>();
  var le = vec4<f32>();
  var re = vec4<f32>();
  var lf = vec4<f32>();
  var rf = vec4<f32>();
  for (var k = first; k < last; k += 2u) {
    let l = b[q];
    let r = b[q + 1u];
    let m = b[q + t];
    let s = b[q + t + 1u];
    let u0 = a.quads[p + 0u];
    let v0 = a.quads[p + 8u];
    l0 += u0.x * l + v0.x * m;
    r0 += u0.x * r + v0.x * s;
    l1 += u0.y * l + v0.y * m;
    r1 += u0.y * r + v0.y * s;
    l2 += u0.z * l + v0.z * m;
    r2 += u0.z * r + v0.z * s;
    l3 += u0.w * l + v0.w * m;
    r3 += u0.w * r + v0.w * s;
    let u1 = a.quads[p + 1u];
    let v1 = a.quads[p + 9u];
    l4 += u1.x * l + v1.x * m;
    r4 += u1.x * r + v1.x * s;
    l5 += u1.y * l + v1.y * m;
    r5 += u1.y * r + v1.y * s;
    l6 += u1.z * l + v1.z * m;
    r6 += u1.z * r + v1.z * s;
    l7 += u1.w * l + v1.w * m;
    r7 += u1.w * r + v1.w * s;
    let u2 = a.quads[p + 2u];
    let v2 = a.quads[p + 10u];
    l8 += u2.x * l + v2.x * m;
    r8 += u2.x * r + v2.x * s;
    l9 += u2.y * l + v2.y * m;
    r9 += u2.y * r + v2.y * s;
    la += u2.z * l + v2.z * m;
    ra += u2.z * r + v2.z * s;
    lb += u2.w * l + v2.w * m;
    rb += u2.w * r + v2.w * s;
    let u3 = a.quads[p + 3u];
    let v3 = a.quads[p + 11u];
    lc += u3.x * l + v3.x * m;
    rc += u3.x * r + v3.x * s;
    ld += u3.y * l + v3.y * m;
    rd += u3.y * r + v3.y * s;
    le += u3.z * l + v3.z * m;
    re += u3.z * r + v3.z * s;
    lf += u3.w * l + v3.w * m;
    rf += u3.w * r + v3.w * s;
    p += 16u;
    q += 2u * t;
  }
  let s = task.cStride;
  var o = task.cOffset + batch * task.cBatch + split * task.splitStride + group.y * 16u * s + j;
  c[o] = l0;
  c[o + 1u] = r0;
  o += s;
  c[o] = l1;
  c[o + 1u] = r1;
  o += s;
  c[o] = l2;
  c[o + 1u] = r2;
  o += s;
  c[o] = l3;
  c[o + 1u] = r3;
  o += s;
  c[o] = l4;
  c[o + 1u] = r4;
  o += s;
  c[o] = l5;
  c[o + 1u] = r5;
  o += s;
  c[o] = l6;
  c[o + 1u] = r6;
  o += s;
  c[o] = l7;
  c[o + 1u] = r7;
  o += s;
  c[o] = l8;
  c[o + 1u] = r8;
  o += s;
  c[o] = l9;
  c[o + 1u] = r9;
  o += s;
  c[o] = la;
  c[o + 1u] = ra;
  o += s;
  c[o] = lb;
  c[o + 1u] = rb;
  o += s;
  c[o] = lc;
  c[o + 1u] = rc;
  o += s;
  c[o] = ld;
  c[o + 1u] = rd;
  o += s;
  c[o] = le;
  c[o + 1u] = re;
  o += s;
  c[o] = lf;
  c[o + 1u] = rf;
}
