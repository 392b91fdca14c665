//#import "$rows"
//#import "orthogonal/task"
// c = transpose(a) * b, where a has 32 columns. Each workgroup sums a part of the depth, and orthogonal/combine adds up the
// parts, so that the order of every sum is fixed. It is the only matrix product of the factorisation: every product is
// arranged to have this form.
//
// An invocation computes 16 x 8 elements in registers, from two rows of a and b at a time. A workgroup takes one half of
// a's columns, so that all its invocations read the same words of a (bench/NOTES-orthogonal.md).
// $rows: place() -> u32, rows(place) -> Rows.

@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;

override LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  // Invocations beyond the edge compute the last columns too: those that share their loads must execute the same code.
  let own = (group.x * LANES + lane) * 2u;
  let j = min(own, task.columns - 2u);
  let batch = group.z / task.splits;
  let split = group.z % task.splits;
  let first = split * task.chunk;
  let last = min(first + task.chunk, task.depth);
  let t = task.bStride;
  var p = task.aOffset + batch * task.aBatch + first * 8u + group.y * 4u + place();
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
    let x = rows(p);
    l0 += x.u0.x * l + x.v0.x * m;
    r0 += x.u0.x * r + x.v0.x * s;
    l1 += x.u0.y * l + x.v0.y * m;
    r1 += x.u0.y * r + x.v0.y * s;
    l2 += x.u0.z * l + x.v0.z * m;
    r2 += x.u0.z * r + x.v0.z * s;
    l3 += x.u0.w * l + x.v0.w * m;
    r3 += x.u0.w * r + x.v0.w * s;
    l4 += x.u1.x * l + x.v1.x * m;
    r4 += x.u1.x * r + x.v1.x * s;
    l5 += x.u1.y * l + x.v1.y * m;
    r5 += x.u1.y * r + x.v1.y * s;
    l6 += x.u1.z * l + x.v1.z * m;
    r6 += x.u1.z * r + x.v1.z * s;
    l7 += x.u1.w * l + x.v1.w * m;
    r7 += x.u1.w * r + x.v1.w * s;
    l8 += x.u2.x * l + x.v2.x * m;
    r8 += x.u2.x * r + x.v2.x * s;
    l9 += x.u2.y * l + x.v2.y * m;
    r9 += x.u2.y * r + x.v2.y * s;
    la += x.u2.z * l + x.v2.z * m;
    ra += x.u2.z * r + x.v2.z * s;
    lb += x.u2.w * l + x.v2.w * m;
    rb += x.u2.w * r + x.v2.w * s;
    lc += x.u3.x * l + x.v3.x * m;
    rc += x.u3.x * r + x.v3.x * s;
    ld += x.u3.y * l + x.v3.y * m;
    rd += x.u3.y * r + x.v3.y * s;
    le += x.u3.z * l + x.v3.z * m;
    re += x.u3.z * r + x.v3.z * s;
    lf += x.u3.w * l + x.v3.w * m;
    rf += x.u3.w * r + x.v3.w * s;
    p += 16u;
    q += 2u * t;
  }
  if (own != j) {
    return;
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
