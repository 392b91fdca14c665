//#import "core/job_struct"
// As core/job for many small jobs in one dispatch: a row of workgroups each. 160 fit into the smallest uniform binding that any
// WebGPU promises, 16 KiB. Packed by src/gpu/fill/uniform-blocks.ts.

@group(0) @binding(1) var<uniform> jobs: array<Job, 160>;

var<private> job: Job;

override WORKGROUP_INVOCATIONS: u32 = 64;

fn takeJob(row: u32) {
  job = jobs[row];
}
