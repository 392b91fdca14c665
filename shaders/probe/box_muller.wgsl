//#import "random/normal"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return bitcast<vec4<u32>>(vec4<f32>(boxMuller(x.x, x.y, zero), boxMuller(x.z, x.w, zero)));
}
