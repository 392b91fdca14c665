//#import "core/job"
//#import "core/words"
// Writes one value at elements first, first + stride, ... of a window that a constant fill has set to 0. Two of these
// elements never share a word (src/distributions/diagonal.ts), so or-ing the bits in leaves every neighbour as it is.
// `elementCount` counts the elements to write. constants: a = the value's 16-byte pattern, b = (first, stride, bytes per element).

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let pattern = job.constants.a;
  let byteWidth = job.constants.b.z;
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var i = id.x; i < job.elementCount; i += stride) {
    let element = job.constants.b.x + i * job.constants.b.y;
    if (byteWidth == 2u) {
      words[job.firstWord + (element >> 1u)] |= (pattern.x & 0xffffu) << (16u * (element & 1u));
    } else if (byteWidth == 4u) {
      words[job.firstWord + element] = pattern.x;
    } else {
      words[job.firstWord + 2u * element] = pattern.x;
      words[job.firstWord + 2u * element + 1u] = pattern.y;
    }
  }
}
