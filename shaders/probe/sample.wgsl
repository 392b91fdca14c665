//#import "core/job"
//#import "$sampler"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return bitcast<vec4<u32>>(sampleWords(x, vec2<u32>(0u), job.constants, zero));
}
