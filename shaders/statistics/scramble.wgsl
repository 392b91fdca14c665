// A bijection of 32-bit words in which every bit affects all others (Wellons, "Hash Function Prospector", 2018: lowbias32);
// the variant here maps 0 to another number.
// CPU reference: scramble in src/statistics/fingerprint.ts.

fn scramble(word: u32) -> u32 {
  var x = word ^ 0x9e3779b9u;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}
