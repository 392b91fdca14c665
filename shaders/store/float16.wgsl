// float32 bits -> IEEE binary16 bits, round to nearest even, in integers: subnormals and overflow to infinity included,
// whatever the device does with them. Finite input only. Twin: float32ToFloat16 in src/random/half.ts.

fn roundToHalf(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude >= 0x477ff000u) {
    return sign | 0x7c00u; // rounds past 65504
  }
  if (magnitude >= 0x38800000u) {
    // Normal: rebias the exponent by 127 - 15 and round away 13 bits; a carry runs into the exponent, as it should.
    let rebased = magnitude - 0x38000000u;
    return sign | ((rebased + 0xfffu + ((rebased >> 13u) & 1u)) >> 13u);
  }
  // Subnormal: units of 2^-24. Below half a unit everything is 0.
  let exponent = magnitude >> 23u;
  if (exponent < 102u) {
    return sign;
  }
  let mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  let drop = 126u - exponent;
  let half = 1u << (drop - 1u);
  return sign | ((mantissa + (half - 1u) + ((mantissa >> drop) & 1u)) >> drop);
}
