//#import "signal/groups"
// n = (a foldScale - mean) / sigma, where 1 / sigma = 1 / sqrt(variance varianceScale + epsilon). Backward:
// (b - mean(b) - m mean(b m)) / sigma gradientScale, where m = n unitScale.

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let length = f32(job.length);
  for (var group = workgroup.x; group < job.groupCount; group += workgroups.x) {
    var sum = 0.0;
    for (var i = lane; i < job.length; i += LANES) {
      sum += a[place(group, i)] * job.foldScale;
    }
    let mean = total(vec2<f32>(sum, 0.0), lane).x / length;
    var squares = 0.0;
    for (var i = lane; i < job.length; i += LANES) {
      let d = a[place(group, i)] * job.foldScale - mean;
      squares += d * d;
    }
    let variance = total(vec2<f32>(squares, 0.0), lane).x / length;
    let inverse = 1.0 / sqrt(variance * job.varianceScale + job.epsilon);
    if ((job.flags & BACKWARD) == 0u) {
      for (var i = lane; i < job.length; i += LANES) {
        let at = place(group, i);
        c[at] = (a[at] * job.foldScale - mean) * inverse;
      }
    } else {
      let toNormal = inverse * job.unitScale;
      var sums = vec2<f32>();
      for (var i = lane; i < job.length; i += LANES) {
        let at = place(group, i);
        sums += b[at] * vec2<f32>(1.0, (a[at] * job.foldScale - mean) * toNormal);
      }
      let means = total(sums, lane) / length;
      for (var i = lane; i < job.length; i += LANES) {
        let at = place(group, i);
        let normal = (a[at] * job.foldScale - mean) * toNormal;
        c[at] = (b[at] - means.x - normal * means.y) * inverse * job.gradientScale;
      }
    }
  }
}
