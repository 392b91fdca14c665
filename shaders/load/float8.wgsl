// Element of an 8-bit format -> float32 in integers and exact float32 operations, subnormals, infinity and NaN included. `rebias` and
// `dropped` as in store/float8; `unit` is the smallest number, `special` the first pattern that is no finite number.

fn loadFloat8(index: u32, rebias: u32, dropped: u32, unit: f32, special: u32) -> f32 {
  let byte = (words[job.firstWord + (index >> 2u)] >> (8u * (index & 3u))) & 0xffu;
  let magnitude = byte & 0x7fu;
  var bits = (magnitude << dropped) + (rebias << 23u);
  if (magnitude < (0x800000u >> dropped)) {
    bits = bitcast<u32>(f32(magnitude) * unit);
  } else if (magnitude >= special) {
    bits = 0x7f800000u | ((magnitude & 3u) << 21u);
  }
  return bitcast<f32>(bits | ((byte & 0x80u) << 24u));
}
