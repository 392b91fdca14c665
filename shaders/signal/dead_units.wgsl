//#import "signal/activations"
// Writes 1 for each unit that is dead, else 0. A unit is dead if all its elements in `a` are 0, or if all slopes are close to
// 0. There is one invocation per unit, which stops at the first element that shows that the unit is alive.

const DEAD_SLOPE = 1e-3;

@group(0) @binding(0) var<storage, read_write> c: array<u32>;
@group(0) @binding(1) var<uniform> job: Activation;
@group(0) @binding(2) var<storage, read> a: array<f32>;

fn isAlive(x: f32) -> bool {
  if ((job.flags & OF_SLOPE) != 0u) {
    return abs(slopeOf(x, job)) > DEAD_SLOPE;
  }
  // NaN counts as alive. This tests the bits, because a device may assume that NaN does not occur.
  return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let step = job.unitCount * job.unitStride;
  for (var unit = id.x; unit < job.unitCount; unit += groups.x * 64u) {
    var dead = 1u;
    for (var first = unit * job.unitStride; first < job.elementCount && dead == 1u; first += step) {
      for (var i = first; i < first + job.unitStride; i++) {
        if (isAlive(a[i])) {
          dead = 0u;
          break;
        }
      }
    }
    c[job.firstRecord + unit] = dead;
  }
}
