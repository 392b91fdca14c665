//#import "$job"
//#import "$round"
// As store/half_pair where firstWord is even and elementCount a multiple of four: one store of 8 bytes.
// $round: as in store/half_pair.

@group(0) @binding(0) var<storage, read_write> quads: array<vec2<u32>>;

fn storeQuad(quad: u32, values: vec4<f32>) {
  let bits = bitcast<vec4<u32>>(values);
  quads[(job.firstWord >> 1u) + quad] = vec2<u32>(
    roundToDType(bits.x) | (roundToDType(bits.y) << 16u),
    roundToDType(bits.z) | (roundToDType(bits.w) << 16u),
  );
}
