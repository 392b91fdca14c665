//#import "$load"
// Copies the parameter, times `scale`, to the padded vectors of the factorisation, one after another. They are the columns of
// a tall parameter and the rows of a wide one.  $load: loadElement(index) -> f32 of `words`.

struct Load {
  firstWord: u32,
  length: u32,        // elements of a vector without padding, and number of vectors
  count: u32,
  elementStep: u32,   // distance in the parameter between two elements of a vector, and between two vectors
  vectorStep: u32,
  stride: u32,        // stride of the padded vectors, in vec4s
  batchStride: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> job: Load;
@group(0) @binding(2) var<storage, read> words: array<u32>;

fn element(batch: u32, i: u32, j: u32) -> f32 {
  if (i >= job.length || j >= job.count) {
    return 0.0;
  }
  return loadElement(batch * job.length * job.count + i * job.elementStep + j * job.vectorStep) * job.scale;
}

/// Neighbouring invocations take neighbouring vectors, 16 elements of each, so that whole cache lines are read and written.
const QUADS_ACROSS = 4u;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let across = job.vectorStep == 1u;
  let j = select(id.y, id.x, across);
  let first = select(id.x, QUADS_ACROSS * id.y, across);
  let end = min(first + select(1u, QUADS_ACROSS, across), job.stride);
  for (var quad = first; quad < end; quad++) {
    let i = 4u * quad;
    c[id.z * job.batchStride + j * job.stride + quad] = vec4<f32>(
      element(id.z, i, j),
      element(id.z, i + 1u, j),
      element(id.z, i + 2u, j),
      element(id.z, i + 3u, j),
    );
  }
}
