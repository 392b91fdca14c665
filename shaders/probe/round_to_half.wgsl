//#import "$round"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return vec4<u32>(roundToHalf(x.x), roundToHalf(x.y), roundToHalf(x.z), roundToHalf(x.w));
}
