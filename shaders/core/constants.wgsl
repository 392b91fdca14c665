// The twelve 32-bit constants of a distribution; what they mean is the sampler's business. Floats travel as bits: a
// device may alter a float that it merely loads, if it happens to look like a subnormal or a NaN.

struct Constants {
  a: vec4<u32>,
  b: vec4<u32>,
  c: vec4<u32>,
}
