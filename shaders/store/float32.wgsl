//#import "$job"
//#import "core/words"

fn storeQuad(quad: u32, values: vec4<f32>) {
  let first = quad * 4u;
  let base = job.firstWord + first;
  let left = job.elementCount - first;
  let bits = bitcast<vec4<u32>>(values);
  words[base] = bits.x;
  if (left >= 4u) {
    words[base + 1u] = bits.y;
    words[base + 2u] = bits.z;
    words[base + 3u] = bits.w;
  } else {
    if (left >= 2u) {
      words[base + 1u] = bits.y;
    }
    if (left >= 3u) {
      words[base + 2u] = bits.z;
    }
  }
}
