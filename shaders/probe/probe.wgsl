//#import "core/job"
//#import "core/words"
//#import "$probe"
// Replaces every four words by what one function makes of them: finds the function that a device computes wrong.
// $probe: probe(words, zero) -> vec4<u32>. Used by src/gpu/self-test/diagnose.ts after a failed self-test, and only then.

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad * 4u < job.elementCount; quad += stride) {
    let base = job.firstWord + quad * 4u;
    let x = vec4<u32>(words[base], words[base + 1u], words[base + 2u], words[base + 3u]);
    let y = probe(x, job.zero);
    words[base] = y.x;
    words[base + 1u] = y.y;
    words[base + 2u] = y.z;
    words[base + 3u] = y.w;
  }
}
