//#import "$job"
//#import "core/words"
//#import "$round"
// Four 8-bit elements a word, the first in the lowest byte. Behind the last element a word keeps its bytes as they were.
// $round: roundToDType(bits) -> the 8-bit pattern nearest to the float32 with these bits, ties to even.

fn storeQuad(quad: u32, values: vec4<f32>) {
  let at = job.firstWord + quad;
  let left = job.elementCount - quad * 4u;
  let bits = bitcast<vec4<u32>>(values);
  let word = roundToDType(bits.x) | (roundToDType(bits.y) << 8u) | (roundToDType(bits.z) << 16u) | (roundToDType(bits.w) << 24u);
  if (left >= 4u) {
    words[at] = word;
  } else {
    let mask = (1u << (8u * left)) - 1u;
    words[at] = (words[at] & ~mask) | (word & mask);
  }
}
