//#import "$load"
// Parameter -> padded matrix of the factorisation, tall: a wide parameter is transposed. Everything is times `scale`.
// $load: loadElement(index) -> f32 of `words`.

struct Load {
  firstWord: u32,
  rows: u32,          // real rows and columns of the tall matrix
  columns: u32,
  rowStep: u32,       // distance of two rows and of two columns in the parameter, in elements
  columnStep: u32,
  stride: u32,        // of the padded matrix, in vec4s
  batchStride: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> job: Load;
@group(0) @binding(2) var<storage, read> words: array<u32>;

fn element(batch: u32, i: u32, j: u32) -> f32 {
  if (i >= job.rows || j >= job.columns) {
    return 0.0;
  }
  return loadElement(batch * job.rows * job.columns + i * job.rowStep + j * job.columnStep) * job.scale;
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  if (id.x >= job.stride) {
    return;
  }
  let j = 4u * id.x;
  for (var i = id.y; i < job.batchStride / job.stride; i += groups.y) {
    c[id.z * job.batchStride + i * job.stride + id.x] = vec4<f32>(
      element(id.z, i, j),
      element(id.z, i, j + 1u),
      element(id.z, i, j + 2u),
      element(id.z, i, j + 3u),
    );
  }
}
