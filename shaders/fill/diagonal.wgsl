//#import "core/job"
// Writes one value to the elements first, first + stride, ... of a window that a constant fill has set to 0. Two of these
// elements never share a word (src/distributions/diagonal.ts), so a bitwise or does not change their neighbours.
// `elementCount` counts the elements to write. job.constants: a = the value's 16-byte pattern, b = (first, stride, bytes per
// element).

@group(0) @binding(0) var<storage, read_write> words: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let pattern = job.constants.a;
  let byteWidth = job.constants.b.z;
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var i = id.x; i < job.elementCount; i += stride) {
    let element = job.constants.b.x + i * job.constants.b.y;
    if (byteWidth == 8u) {
      atomicOr(&words[job.firstWord + 2u * element], pattern.x);
      atomicOr(&words[job.firstWord + 2u * element + 1u], pattern.y);
    } else {
      let perWord = 4u / byteWidth;
      let shift = 8u * byteWidth * (element % perWord);
      // The pattern repeats the element: its first word, cut to one of them.
      let bits = (pattern.x & (0xffffffffu >> (32u - 8u * byteWidth))) << shift;
      atomicOr(&words[job.firstWord + element / perWord], bits);
    }
  }
}
