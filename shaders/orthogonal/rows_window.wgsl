//#import "orthogonal/rows"
// Reads the rows through a uniform window of 512 rows. Constant caches serve these reads well, and a software device reads
// uniforms in half the time that it needs for storage buffers.

struct Window {
  quads: array<vec4<f32>, 4096>,
}

@group(0) @binding(2) var<uniform> a: Window;

fn place() -> u32 {
  return 0u;
}

fn rows(p: u32) -> Rows {
  return Rows(
    a.quads[p],
    a.quads[p + 1u],
    a.quads[p + 2u],
    a.quads[p + 3u],
    a.quads[p + 8u],
    a.quads[p + 9u],
    a.quads[p + 10u],
    a.quads[p + 11u],
  );
}
