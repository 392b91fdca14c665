//#import "$round"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return vec4<u32>(roundToDType(x.x), roundToDType(x.y), roundToDType(x.z), roundToDType(x.w));
}
