//#import "core/constants"
//#import "random/inverse_normal"
//#import "random/philox"
// Truncated normal by inversion, one word per element: no rejection, no loop, exact tails. CPU reference: src/random/truncated-normal.ts.
// constants: a = (start low, start high, mass low, mass high), b = (upperBit, scale, +-std, mean), c = (low, high).

/// (high, low) / 2^64 as float32; three roundings, in this order.
fn fixed64ToFloat(high: u32, low: u32, zero: u32) -> f32 {
  let top = rounded(f32(high >> 16u) * 0x1p-16f + f32(high & 0xffffu) * 0x1p-32f, zero);
  let bottom = rounded(f32(low >> 16u) * 0x1p-48f + f32(low & 0xffffu) * 0x1p-64f, zero);
  return rounded(top + bottom, zero);
}

fn truncatedNormalValue(word: u32, constants: Constants, zero: u32) -> f32 {
  let start = constants.a.xy;
  let mass = constants.a.zw;
  // start + floor(mass * word / 2^32), 64 bits.
  let carryIn = multiplyHigh(mass.x, word);
  var low = mass.y * word + carryIn;
  var high = multiplyHigh(mass.y, word) + select(0u, 1u, low < carryIn);
  low += start.x;
  high += start.y + select(0u, 1u, low < start.x);
  let upper = (high & constants.b.x) != 0u;
  let q = fixed64ToFloat(select(high, ~high, upper), select(low, ~low, upper), zero) * bitcast<f32>(constants.b.y);
  let z = inverseNormalTail(q, zero);
  let value = rounded(select(-z, z, upper) * bitcast<f32>(constants.b.z), zero) + bitcast<f32>(constants.b.w);
  return clamp(value, bitcast<f32>(constants.c.x), bitcast<f32>(constants.c.y));
}

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  return vec4<f32>(
    truncatedNormalValue(words.x, constants, zero),
    truncatedNormalValue(words.y, constants, zero),
    truncatedNormalValue(words.z, constants, zero),
    truncatedNormalValue(words.w, constants, zero),
  );
}
