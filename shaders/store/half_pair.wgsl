//#import "$job"
//#import "core/words"
//#import "$round"
// Two 16-bit elements a word, low half first. An odd last element keeps the word's upper half as it was.
// $round: roundToDType(bits) -> the 16-bit pattern nearest to the float32 with these bits, ties to even.

fn storeQuad(quad: u32, values: vec4<f32>) {
  let base = job.firstWord + quad * 2u;
  let left = job.elementCount - quad * 4u;
  let bits = bitcast<vec4<u32>>(values);
  let x = roundToDType(bits.x);
  if (left == 1u) {
    words[base] = (words[base] & 0xffff0000u) | x;
    return;
  }
  words[base] = x | (roundToDType(bits.y) << 16u);
  if (left == 2u) {
    return;
  }
  let z = roundToDType(bits.z);
  if (left == 3u) {
    words[base + 1u] = (words[base + 1u] & 0xffff0000u) | z;
    return;
  }
  words[base + 1u] = z | (roundToDType(bits.w) << 16u);
}
