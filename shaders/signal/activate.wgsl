//#import "signal/activations"
// f(a), or backward b f'(a).

@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<uniform> job: Activation;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < job.elementCount; i += groups.x * 64u) {
    if ((job.flags & BACKWARD) != 0u) {
      c[i] = b[i] * job.gradientScale * slopeOf(a[i], job);
    } else {
      c[i] = valueOf(a[i], job);
    }
  }
}
