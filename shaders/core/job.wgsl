//#import "core/job_struct"
// What every fill shader is bound to: the words it writes, and its job.

@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<uniform> job: Job;

override WORKGROUP_INVOCATIONS: u32 = 64;
