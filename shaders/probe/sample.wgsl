//#import "core/job"
//#import "$sampler"

fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> {
  return bitcast<vec4<u32>>(sample(x, job.law0, job.law1, zero));
}
