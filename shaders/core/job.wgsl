//#import "core/job_struct"
// What every fill shader is told: its job, one a dispatch. Where it writes, is in core/words or with the store module.

@group(0) @binding(1) var<uniform> job: Job;

override WORKGROUP_INVOCATIONS: u32 = 64;

fn takeJob(row: u32) {}
