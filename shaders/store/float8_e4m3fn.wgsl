//#import "store/float8"
// What is larger than 448, infinity too, becomes 448, as in PyTorch 2.13. CPU reference: float32ToFloat8E4M3 in src/core/float8.ts.

fn roundToDType(bits: u32) -> u32 {
  return roundToFloat8(bits, 120u, 20u, 0x7eu);
}
