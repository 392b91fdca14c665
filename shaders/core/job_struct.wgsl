//#import "core/constants"
// One FillJob window: which elements of which stream, under which distribution, go to which words of the bound buffer.
// Packed by src/gpu/fill/pack-job.ts; a test compares the two layouts field by field.

struct Job {
  key: vec2<u32>,          // Philox key: the parameter's stream seed (low, high)
  counter: vec2<u32>,      // block counter of the window's first element (low, high)
  block: vec2<u32>,        // index of that block within the parameter (low, high)
  elementCount: u32,       // elements in this window
  shift: u32,              // index of the first element within its block, 0..3
  constants: Constants,                // meaning is the sampler's
  firstWord: u32,          // 32-bit word of the binding where the first element goes
  zero: u32,               // 0 at run time, unknown at compile time: see random/rounded
}
