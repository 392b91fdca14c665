//#import "random/normal"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return bitcast<vec4<u32>>(vec4<f32>(direction(x.x, zero), direction(x.z, zero)));
}
