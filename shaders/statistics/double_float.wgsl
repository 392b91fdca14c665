//#import "random/rounded"
// A sum as a pair of float32 numbers (high, low), with about 48 bits: TwoSum (Knuth, TAOCP 2, 4.2.2), then renormalised.
// Every step is rounded explicitly, because a compiler that simplifies (a + b) - a would break the algorithm.

fn addToPair(pair: vec2<f32>, term: vec2<f32>, zero: u32) -> vec2<f32> {
  let sum = rounded(pair.x + term.x, zero);
  let fromTerm = rounded(sum - pair.x, zero);
  let fromPair = rounded(sum - fromTerm, zero);
  let lost = rounded(pair.x - fromPair, zero) + rounded(term.x - fromTerm, zero);
  let low = rounded(lost + rounded(pair.y + term.y, zero), zero);
  let high = rounded(sum + low, zero);
  return vec2<f32>(high, rounded(low - rounded(high - sum, zero), zero));
}
