//#import "load/float8"

fn loadElement(index: u32) -> f32 {
  return loadFloat8(index, 112u, 21u, 0x1p-16f, 0x7cu);
}
