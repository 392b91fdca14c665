// What the kernels under linalg/ are told: a record of 20 words. Matrices are in vec4<f32>, padded with zeros to whole
// tiles, one after another in a batch. All offsets and strides count vec4s. Packed by src/gpu/orthogonal/task.ts.
// Values made here need not be the same on every device, so division and sqrt are allowed.

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
  rows: u32,
  columns: u32,       // of the output, in vec4s
  depth: u32,         // length of the sums
  chunk: u32,         // part of the depth that one workgroup sums
  splits: u32,        // number of such parts
  splitStride: u32,
  flags: u32,
  dOffset: u32,       // a second output
  dStride: u32,
  dBatch: u32,
  unused: u32,
}

const FLIP = 1u;        // write the transposed matrix
const FIRST = 2u;       // nothing to combine with yet
const PROJECTED = 4u;   // linalg/cholesky: look at what a projection took off
const ORTHONORMAL = 8u; // linalg/cholesky: look at how far from orthonormal
const INDEPENDENT = 16u; // linalg/cholesky: look at whether one round is enough

@group(0) @binding(0) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> task: Task;
