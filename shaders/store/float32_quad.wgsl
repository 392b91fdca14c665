//#import "$job"
// As store/float32 where firstWord and elementCount are multiples of four: one store of 16 bytes in place of four.

@group(0) @binding(0) var<storage, read_write> quads: array<vec4<u32>>;

fn storeQuad(quad: u32, values: vec4<f32>) {
  quads[(job.firstWord >> 2u) + quad] = bitcast<vec4<u32>>(values);
}
