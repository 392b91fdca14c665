//#import "signal/groups"
// y = e^(v - max) / sum, where v = a foldScale unitScale. Backward: y (b - sum(y b)) gradientScale.

fn scaled(at: u32) -> f32 {
  return a[at] * job.foldScale * job.unitScale;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  for (var group = workgroup.x; group < job.groupCount; group += workgroups.x) {
    var most = scaled(place(group, 0u));
    for (var i = lane; i < job.length; i += LANES) {
      most = max(most, scaled(place(group, i)));
    }
    most = largest(most, lane);
    // The sum of e, and the sum of e b.
    var sums = vec2<f32>();
    for (var i = lane; i < job.length; i += LANES) {
      let at = place(group, i);
      sums += exp(max(scaled(at) - most, -80.0)) * vec2<f32>(1.0, b[at]);
    }
    sums = total(sums, lane);
    for (var i = lane; i < job.length; i += LANES) {
      let at = place(group, i);
      let y = exp(max(scaled(at) - most, -80.0)) / sums.x;
      if ((job.flags & BACKWARD) == 0u) {
        c[at] = y;
      } else {
        c[at] = y * (b[at] - sums.y / sums.x) * job.gradientScale;
      }
    }
  }
}
