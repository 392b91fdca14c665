//#import "orthogonal/task"
// The second output of a kernel that writes its product in both orientations.

@group(0) @binding(4) var<storage, read_write> d: array<vec4<f32>>;

/// Writes the 4 x 4 block (row, column) to c, and its transpose to d.
fn storeBothWays(x: mat4x4<f32>, row: u32, column: u32, batch: u32) {
  let w = task.cStride;
  let r = task.cOffset + batch * task.cBatch + 4u * row * w + column;
  c[r] = x[0];
  c[r + w] = x[1];
  c[r + 2u * w] = x[2];
  c[r + 3u * w] = x[3];
  let flipped = transpose(x);
  let v = task.dStride;
  let o = task.dOffset + batch * task.dBatch + 4u * column * v + row;
  d[o] = flipped[0];
  d[o + v] = flipped[1];
  d[o + 2u * v] = flipped[2];
  d[o + 3u * v] = flipped[3];
}
