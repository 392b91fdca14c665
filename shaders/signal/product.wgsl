// c[m, n] = scale sum_k a[m, k] b[n, k], or this is added to c. The rows of a and b consist of vec4s; the last vec4 of a row
// may contain any values beyond the row's end. Each invocation computes one 4 x 4 block. Sums have a fixed order.

struct Product {
  rowBegin: u32,
  rowEnd: u32,
  columns: u32,
  depth: u32,
  aOffset: u32,    // a and b in vec4s, c in elements
  aStride: u32,
  bStride: u32,
  cOffset: u32,
  cStride: u32,
  accumulate: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<uniform> job: Product;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;

fn store(row: u32, column: u32, value: vec4<f32>) {
  if (row >= job.rowEnd) {
    return;
  }
  let at = job.cOffset + row * job.cStride + column;
  for (var i = 0u; i < min(4u, job.columns - column); i++) {
    let scaled = value[i] * job.scale;
    c[at + i] = select(scaled, c[at + i] + scaled, job.accumulate != 0u);
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = id.x * 4u;
  let m = job.rowBegin + id.y * 4u;
  if (n >= job.columns || m >= job.rowEnd) {
    return;
  }
  let lastRow = job.rowEnd - 1u;
  let lastColumn = job.columns - 1u;
  var p = job.aOffset + vec4<u32>(m, min(m + 1u, lastRow), min(m + 2u, lastRow), min(m + 3u, lastRow)) * job.aStride;
  var q = vec4<u32>(n, min(n + 1u, lastColumn), min(n + 2u, lastColumn), min(n + 3u, lastColumn)) * job.bStride;
  var r0 = vec4<f32>();
  var r1 = vec4<f32>();
  var r2 = vec4<f32>();
  var r3 = vec4<f32>();
  for (var k = 0u; k < job.depth; k += 4u) {
    // Values beyond the row's end are ignored.
    let inside = vec4<u32>(k, k + 1u, k + 2u, k + 3u) < vec4<u32>(job.depth);
    let block = mat4x4<f32>(
      select(vec4<f32>(), b[q.x], inside),
      select(vec4<f32>(), b[q.y], inside),
      select(vec4<f32>(), b[q.z], inside),
      select(vec4<f32>(), b[q.w], inside),
    );
    r0 += select(vec4<f32>(), a[p.x], inside) * block;
    r1 += select(vec4<f32>(), a[p.y], inside) * block;
    r2 += select(vec4<f32>(), a[p.z], inside) * block;
    r3 += select(vec4<f32>(), a[p.w], inside) * block;
    p += vec4<u32>(1u);
    q += vec4<u32>(1u);
  }
  store(m, n, r0);
  store(m + 1u, n, r1);
  store(m + 2u, n, r2);
  store(m + 3u, n, r3);
}
