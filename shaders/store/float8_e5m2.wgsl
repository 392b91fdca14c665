//#import "store/float8"
// From 61440 on infinity. CPU reference: float32ToFloat8E5M2 in src/core/float8.ts.

fn roundToDType(bits: u32) -> u32 {
  return roundToFloat8(bits, 112u, 21u, 0x7cu);
}
