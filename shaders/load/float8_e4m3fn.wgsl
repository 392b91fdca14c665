//#import "load/float8"

fn loadElement(index: u32) -> f32 {
  return loadFloat8(index, 120u, 20u, 0x1p-9f, 0x7fu);
}
