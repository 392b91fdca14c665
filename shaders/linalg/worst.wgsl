//#import "linalg/task"
// One record a matrix: (largest combined square that linalg/correction left, columns without length, largest
// |length^2 - 1|, 0). a: those squares in `splits` rows; b: the columns' squared lengths; `rows` columns are real.

const DEAD = 1e-4;
const LANES = 64u;

var<workgroup> lanes: array<vec4<f32>, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var own = vec4<f32>();
  for (var j = lane; j < task.rows; j += LANES) {
    var total = 0.0;
    for (var split = 0u; split < task.splits; split++) {
      let x = a[task.aOffset + group.z * task.aBatch + split * task.splitStride + (j >> 2u)][j & 3u];
      if ((task.flags & LARGEST) != 0u) {
        total = max(total, x);
      } else {
        total += x;
      }
    }
    let square = b[task.bOffset + group.z * task.bBatch + (j >> 2u)][j & 3u];
    own.x = max(own.x, total);
    own.y += select(0.0, 1.0, square < DEAD);
    own.z = max(own.z, abs(square - 1.0));
    // By bits: a device may assume that NaN does not occur, and max may drop it.
    if ((bitcast<u32>(square) & 0x7f800000u) == 0x7f800000u) {
      own.w = 1.0;
    }
  }
  lanes[lane] = own;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < LANES; i++) {
      let x = lanes[i];
      own = vec4<f32>(max(own.x, x.x), own.y + x.y, max(own.zw, x.zw));
    }
    c[task.cOffset + group.z] = own;
  }
}
