//#import "$load"
// Copies a run of a matrix's elements, of any dtype, to the place where a product reads them. Element f of the matrix is in
// row f / rowLength. Only rows and columns within the ranges are copied.
// $load: loadElement(index) -> f32 of `words`.

struct Gather {
  elementCount: u32,
  firstWord: u32,
  firstElement: u32,
  rowLength: u32,
  rowBegin: u32,
  rowEnd: u32,
  columnBegin: u32,
  columnEnd: u32,
  rowStride: u32,
  columnStride: u32,
}

@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<uniform> job: Gather;
@group(0) @binding(2) var<storage, read> words: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < job.elementCount; i += groups.x * 64u) {
    let f = job.firstElement + i;
    let row = f / job.rowLength;
    let column = f % job.rowLength;
    if (row >= job.rowBegin && row < job.rowEnd && column >= job.columnBegin && column < job.columnEnd) {
      c[(row - job.rowBegin) * job.rowStride + (column - job.columnBegin) * job.columnStride] = loadElement(i);
    }
  }
}
