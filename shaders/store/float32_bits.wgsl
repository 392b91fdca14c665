// float32 is stored as it is.

fn roundToDType(bits: u32) -> u32 {
  return bits;
}
