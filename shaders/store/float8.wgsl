// float32 bits -> bits of an 8-bit format, round to nearest even, by integers alone and without branches. `rebias` is the difference
// of the exponent biases, `dropped` the fraction bits that the format does not have, `most` what overflows. NaN becomes 0x7f.
// CPU reference: src/core/float8.ts.

fn roundToFloat8(bits: u32, rebias: u32, dropped: u32, most: u32) -> u32 {
  let magnitude = bits & 0x7fffffffu;
  let exponent = magnitude >> 23u;
  // Normal: rebias the exponent and round bits away; a carry runs into the exponent, as it should. Subnormal: more bits go, the
  // more the smaller the exponent. From 25 on nothing is left of the significand's 24.
  let normal = exponent > rebias;
  let kept = select((magnitude & 0x7fffffu) | 0x800000u, magnitude - (rebias << 23u), normal);
  let drop = select(min(dropped + rebias + 1u - exponent, 25u), dropped, normal);
  let nearest = (kept + ((1u << (drop - 1u)) - 1u) + ((kept >> drop) & 1u)) >> drop;
  return ((bits >> 24u) & 0x80u) | select(min(nearest, most), 0x7fu, magnitude > 0x7f800000u);
}
