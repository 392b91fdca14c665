//#import "random/philox"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return philoxBlock(x.x, philoxHighWord(x.y, x.zw), x.zw);
}
