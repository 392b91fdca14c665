//#import "random/philox"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return philox4x32(vec4<u32>(x.xy, 0u, 0u), x.zw);
}
