// The parameters of the kernels under shaders/orthogonal: a record of 20 words, packed by src/gpu/orthogonal/task.ts.
// Matrices consist of vec4<f32>, are padded with zeros to whole tiles, and follow one another in a batch. All offsets and
// strides count vec4s. These kernels need not give the same bits on every device, so division and sqrt are allowed.

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
  columns: u32,       // columns of the output, in vec4s
  depth: u32,         // length of the sums
  chunk: u32,         // the part of the depth that one workgroup sums
  splits: u32,        // number of such parts
  splitStride: u32,
  flags: u32,
  dOffset: u32,       // a second output
  dStride: u32,
  dBatch: u32,
  unused: u32,
}

const FLIP = 1u;        // write the transposed result
const FIRST = 2u;       // there is no earlier record to combine with
const PROJECTED = 4u;   // orthogonal/cholesky: measure what a projection removed
const ORTHONORMAL = 8u; // orthogonal/cholesky: measure how far the panel is from orthonormal
const INDEPENDENT = 16u; // orthogonal/cholesky: measure whether one round is enough

@group(0) @binding(0) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> task: Task;
