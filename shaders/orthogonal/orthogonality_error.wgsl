//#import "orthogonal/task"
//#import "orthogonal/inputs"
// The largest |a - I| in columns [rows, rows + 32) of a Gram matrix (a: depth x 32), in one record per matrix, combined over
// the panels: (largest, 0, 0, 1 if an element is not finite). Columns from `chunk` on are padding.

const LANES = 64u;

var<workgroup> lanes: array<vec2<f32>, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = task.rows + 4u * (lane % 8u) + vec4<u32>(0u, 1u, 2u, 3u);
  var own = vec2<f32>();
  for (var k = lane / 8u; k < task.depth; k += LANES / 8u) {
    let x = a[task.aOffset + group.z * task.aBatch + k * 8u + lane % 8u];
    let expected = select(vec4<f32>(), vec4<f32>(1.0), (vec4<u32>(k) == column) & (column < vec4<u32>(task.chunk)));
    let e = abs(x - expected);
    own.x = max(own.x, max(max(e.x, e.y), max(e.z, e.w)));
    // This tests the bits, because a device may assume that NaN and infinity do not occur.
    let exponent = bitcast<vec4<u32>>(x) & vec4<u32>(0x7f800000u);
    if (any(exponent == vec4<u32>(0x7f800000u))) {
      own.y = 1.0;
    }
  }
  lanes[lane] = own;
  workgroupBarrier();
  if (lane == 0u) {
    let at = task.cOffset + group.z;
    var worst = select(c[at].xw, vec2<f32>(), (task.flags & FIRST) != 0u);
    for (var i = 0u; i < LANES; i++) {
      worst = max(worst, lanes[i]);
    }
    c[at] = vec4<f32>(worst.x, 0.0, 0.0, worst.y);
  }
}
