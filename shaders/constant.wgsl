//#import "core/job"
// Repeats a 16-byte pattern, which holds a whole number of elements of any dtype. Here `elementCount` counts bytes:
// a last word that is only partly the parameter's keeps its other bytes. The pattern is the bits of law0.

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let pattern = bitcast<vec4<u32>>(job.law0);
  let wordCount = job.elementCount >> 2u;
  let tailBytes = job.elementCount & 3u;
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad * 4u < wordCount; quad += stride) {
    let first = quad * 4u;
    let base = job.firstWord + first;
    words[base] = pattern.x;
    if (first + 3u < wordCount) {
      words[base + 1u] = pattern.y;
      words[base + 2u] = pattern.z;
      words[base + 3u] = pattern.w;
    } else {
      if (first + 1u < wordCount) {
        words[base + 1u] = pattern.y;
      }
      if (first + 2u < wordCount) {
        words[base + 2u] = pattern.z;
      }
    }
  }
  if (id.x == 0u && tailBytes != 0u) {
    let mask = (1u << (8u * tailBytes)) - 1u;
    let index = job.firstWord + wordCount;
    words[index] = (words[index] & ~mask) | (pattern[wordCount & 3u] & mask);
  }
}
