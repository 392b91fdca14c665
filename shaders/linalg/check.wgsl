//#import "linalg/task"
//#import "linalg/inputs"
// A look at a panel on its way, one record a matrix, combined over the panels:
// (what the projection took off a vector, in squared length, over what it left and over a limit; vectors without length;
// largest |b - I|; 1 if something is not finite).
// a: products with the vectors before (depth x 32); b: the panel's Gram matrix, 32 x 32, of which `rows` are real;
// chunk: the limit's bits.

const DEAD = 1e-4;
const LANES = 64u;

var<workgroup> lanes: array<vec4<f32>, LANES>;

fn isFinite(x: f32) -> bool {
  // By bits: a device may assume that NaN and infinity do not occur.
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var total = vec4<f32>();
  for (var k = lane / 8u; k < task.depth; k += LANES / 8u) {
    let x = a[task.aOffset + group.z * task.aBatch + k * 8u + lane % 8u];
    total += x * x;
  }
  lanes[lane] = total;
  workgroupBarrier();
  var own = vec4<f32>();
  if (lane < 8u) {
    for (var slice = lane + 8u; slice < LANES; slice += 8u) {
      total += lanes[slice];
    }
    lanes[lane] = total;
  }
  workgroupBarrier();
  if (lane < task.rows && (task.flags & PROJECTED) != 0u) {
    let x = b[task.bOffset + group.z * task.bBatch + lane * 8u + (lane >> 2u)][lane & 3u];
    own.x = lanes[lane >> 2u][lane & 3u] / (bitcast<f32>(task.chunk) * max(x, 1e-30));
  }
  if (lane < task.rows && (task.flags & ORTHONORMAL) != 0u) {
    let row = task.bOffset + group.z * task.bBatch + lane * 8u;
    for (var j = 0u; j < task.rows; j++) {
      let x = b[row + (j >> 2u)][j & 3u];
      if (!isFinite(x)) {
        own.w = 1.0;
      }
      own.z = max(own.z, abs(x - select(0.0, 1.0, j == lane)));
      own.y += select(0.0, 1.0, j == lane && x < DEAD);
    }
  }
  workgroupBarrier();
  lanes[lane] = own;
  workgroupBarrier();
  if (lane == 0u) {
    let at = task.cOffset + group.z;
    var worst = select(c[at], vec4<f32>(), (task.flags & FIRST) != 0u);
    for (var i = 0u; i < LANES; i++) {
      let x = lanes[i];
      worst = vec4<f32>(max(worst.x, x.x), worst.y + x.y, max(worst.zw, x.zw));
    }
    c[at] = worst;
  }
}
