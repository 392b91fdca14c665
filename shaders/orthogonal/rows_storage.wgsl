//#import "orthogonal/rows"
// Rows from storage: for devices whose uniform bindings are too small for a window of 512 rows, such as those at the limits of
// WebGPU's compatibility mode (16 KiB).

@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;

fn place() -> u32 {
  return 0u;
}

fn rows(p: u32) -> Rows {
  return Rows(a[p], a[p + 1u], a[p + 2u], a[p + 3u], a[p + 8u], a[p + 9u], a[p + 10u], a[p + 11u]);
}
