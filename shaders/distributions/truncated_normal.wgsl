//#import "core/constants"
//#import "random/inverse_normal"
//#import "random/philox"
// Truncated normal by inversion, from one word per element, without rejection and loops, and accurate far into the tails. CPU
// reference: src/random/truncated-normal.ts.
// constants: a = (start low, start high, mass low, mass high), b = (upperBit, scale, +-std, mean), c = (low, high, shift).

/// The 64-bit integer (high, low) times 2^-64 as a float32, with three roundings in this order.
fn fixed64ToFloat(high: u32, low: u32, zero: u32) -> f32 {
  let top = rounded(f32(high >> 16u) * 0x1p-16f + f32(high & 0xffffu) * 0x1p-32f, zero);
  let bottom = rounded(f32(low >> 16u) * 0x1p-48f + f32(low & 0xffffu) * 0x1p-64f, zero);
  return rounded(top + bottom, zero);
}

/// 1 - 2 p for a probability p = (high, low) 2^-64 2^-shift <= 1/2, which is twice its distance from 1/2. It is computed from the
/// integer, so that it has 24 significant bits however close p is to 1/2. Rounded once, ties to even; at least 2^-63.
fn distanceToHalf(high: u32, low: u32, shift: u32) -> f32 {
  // The integer p 2^64. The bits that `shift` moves below its end are dropped.
  var top = high;
  var bottom = low;
  if (shift >= 32u) {
    bottom = top >> (shift - 32u);
    top = 0u;
  } else if (shift > 0u) {
    bottom = (top << (32u - shift)) | (bottom >> shift);
    top = top >> shift;
  }
  // 2^63 minus that integer, shifted so that its first 1 is the top bit.
  top = 0x80000000u - top - select(1u, 0u, bottom == 0u);
  bottom = 0u - bottom;
  var zeros = countLeadingZeros(top);
  if (zeros == 32u) {
    zeros += countLeadingZeros(bottom);
    top = bottom << (zeros - 32u);
    bottom = 0u;
  } else if (zeros > 0u) {
    top = (top << zeros) | (bottom >> (32u - zeros));
    bottom = bottom << zeros;
  }
  let rest = top & 0xffu;
  let mantissa = top >> 8u;
  let up = rest > 0x80u || (rest == 0x80u && (bottom != 0u || (mantissa & 1u) == 1u));
  // This is exact: an integer of at most 2^24, times a power of two.
  return f32(mantissa + select(0u, 1u, up)) * bitcast<f32>((104u - zeros) << 23u);
}

fn truncatedNormalValue(word: u32, constants: Constants, zero: u32) -> f32 {
  let start = constants.a.xy;
  let mass = constants.a.zw;
  // start + floor(mass * word / 2^32), in 64 bits.
  let carryIn = multiplyHigh(mass.x, word);
  var low = mass.y * word + carryIn;
  var high = multiplyHigh(mass.y, word) + select(0u, 1u, low < carryIn);
  low += start.x;
  high += start.y + select(0u, 1u, low < start.x);
  let upper = (high & constants.b.x) != 0u;
  high = select(high, ~high, upper);
  low = select(low, ~low, upper);
  let q = fixed64ToFloat(high, low, zero) * bitcast<f32>(constants.b.y); // exact, because the factor is a power of two
  let z = inverseNormalTail(q, distanceToHalf(high, low, constants.c.z), zero);
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
