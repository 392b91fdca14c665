// float32 bits -> bfloat16 bits, round to nearest even. Finite input only. CPU reference: float32ToBfloat16 in src/core/half.ts.

fn roundToDType(bits: u32) -> u32 {
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}
