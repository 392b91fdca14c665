// Threefry2x32-20 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// It uses only integers, so it is exact on every device. CPU reference: src/random/libraries/threefry.ts.

const THREEFRY_PARITY = 0x1BD11BDAu;

fn threefryMix(x: vec2<u32>, turn: u32) -> vec2<u32> {
  let sum = x.x + x.y;
  return vec2<u32>(sum, ((x.y << turn) | (x.y >> (32u - turn))) ^ sum);
}

/// Twenty rounds; key words are added after every fourth round.
fn threefry2x32(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
  let third = key.x ^ key.y ^ THREEFRY_PARITY;
  var x = counter + key;
  var keys = vec3<u32>(key.y, third, key.x);
  for (var group = 1u; group <= 5u; group++) {
    if ((group & 1u) == 1u) {
      x = threefryMix(threefryMix(threefryMix(threefryMix(x, 13u), 15u), 26u), 6u);
    } else {
      x = threefryMix(threefryMix(threefryMix(threefryMix(x, 17u), 29u), 16u), 24u);
    }
    x += vec2<u32>(keys.x, keys.y + group);
    keys = keys.yzx;
  }
  return x;
}
