// float32 bits -> IEEE binary16 bits, round to nearest even, subnormals and overflow to infinity included,
// whatever the device does with them, and without branches. Finite input only. CPU reference: float32ToFloat16 in src/core/half.ts.

fn roundToDType(bits: u32) -> u32 {
  let magnitude = bits & 0x7fffffffu;
  // Normal: rebias the exponent by 127 - 15 and round away 13 bits; a carry runs into the exponent, as it should.
  let rebased = magnitude - 0x38000000u;
  let normal = (rebased + 0xfffu + ((rebased >> 13u) & 1u)) >> 13u;
  // Subnormal: units of 2^-24, which is what a sum just above 1/2 is rounded to.
  let subnormal = bitcast<u32>(bitcast<f32>(magnitude) + 0.5) - 0x3f000000u;
  let nearest = min(select(normal, subnormal, magnitude < 0x38800000u), 0x7c00u);
  return ((bits >> 16u) & 0x8000u) | nearest;
}
