// What every kernel under linalg/ is bound to: one output, a record of 16 words, two inputs. Matrices are row-major in
// vec4<f32>, padded with zeros to whole tiles, one after another in a batch. All offsets and strides count vec4s.
// Packed by src/gpu/linalg.ts. Values made here need not be the same on every device, so division and sqrt are allowed.

struct Task {
  aOffset: u32,
  aStride: u32,
  aBatch: u32,
  bOffset: u32,
  bStride: u32,
  bBatch: u32,
  cOffset: u32,
  cStride: u32,
  cBatch: u32,
  rows: u32,          // of the output
  columns: u32,       // of the output, in vec4s
  depth: u32,         // length of the sums
  chunk: u32,         // part of the depth that one workgroup sums
  splits: u32,        // number of such parts
  splitStride: u32,
  flags: u32,
}

const UPPER = 1u;     // only tiles that touch the upper triangle are wanted
const SUBTRACT = 2u;  // c - product instead of product
const LARGEST = 4u;   // combine by maximum instead of by sum

@group(0) @binding(0) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> task: Task;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;
