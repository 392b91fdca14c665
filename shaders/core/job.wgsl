// One FillJob window: which elements of which stream, under which law, go to which words of the bound buffer.
// Packed by src/gpu/job-layout.ts; a test compares the two layouts field by field.

struct Job {
  key: vec2<u32>,          // Philox key: the parameter's stream seed (low, high)
  counter: vec2<u32>,      // block counter of the window's first element (low, high)
  law0: vec4<f32>,         // meaning is the sampler's
  law1: vec4<f32>,
  elementCount: u32,       // elements in this window
  shift: u32,              // index of the first element within its block, 0..3
  firstWord: u32,          // 32-bit word of the binding where the first element goes
  zero: u32,               // 0 at run time, unknown at compile time: see random/rounded
  extra: vec4<u32>,        // meaning is the sampler's; 0 unless it says so
}

@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<uniform> job: Job;

override WORKGROUP_INVOCATIONS: u32 = 64;
