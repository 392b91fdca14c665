//#import "core/law"
//#import "core/job_struct"
//#import "$round"
// Puts float32 matrices at every stride-th element of a tensor that a constant fill has set to 0: the centre of a
// delta-orthogonal's kernels; or transposed, at every element. Atomics: two 16-bit elements may share a word.
// law: a = (first element, stride, bytes per element); b = (columns, rows) of a matrix that is transposed on the way,
// (1, count) of one that is not. $round: roundToHalf(bits), as in store/half_pair.

@group(0) @binding(0) var<storage, read_write> words: array<atomic<u32>>;
@group(0) @binding(1) var<uniform> job: Job;
@group(0) @binding(2) var<storage, read> matrix: array<u32>;

override WORKGROUP_INVOCATIONS: u32 = 64;

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var i = id.x; i < job.elementCount; i += stride) {
    let columns = job.law.b.x;
    let rows = job.law.b.y;
    let matrixStart = i - i % (columns * rows);
    let place = matrixStart + (i % columns) * rows + (i - matrixStart) / columns;
    let element = job.law.a.x + place * job.law.a.y;
    if (job.law.a.z == 4u) {
      atomicStore(&words[job.firstWord + element], matrix[i]);
    } else {
      atomicOr(&words[job.firstWord + (element >> 1u)], roundToHalf(matrix[i]) << (16u * (element & 1u)));
    }
  }
}
