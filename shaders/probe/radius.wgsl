//#import "random/normal"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return bitcast<vec4<u32>>(vec4<f32>(radius(x.x, zero), radius(x.y, zero), radius(x.z, zero), radius(x.w, zero)));
}
