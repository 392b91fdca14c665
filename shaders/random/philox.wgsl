// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// Integers only, hence exact on every device. Twin: src/random/philox.ts. Known answers: test/vectors/random123.json.

const PHILOX_M0 = 0xD2511F53u;
const PHILOX_M1 = 0xCD9E8D57u;
const PHILOX_W0 = 0x9E3779B9u;
const PHILOX_W1 = 0xBB67AE85u;

/// High 32 bits of a * b, from 16-bit limbs: WGSL has no 64-bit integer. No partial sum overflows.
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let carry = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (carry >> 16u);
}

fn philoxRound(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  return vec4<u32>(
    multiplyHigh(counter.z, PHILOX_M1) ^ counter.y ^ key.x,
    counter.z * PHILOX_M1,
    multiplyHigh(counter.x, PHILOX_M0) ^ counter.w ^ key.y,
    counter.x * PHILOX_M0,
  );
}

fn philoxBump(key: vec2<u32>) -> vec2<u32> {
  return key + vec2<u32>(PHILOX_W0, PHILOX_W1);
}

/// Ten rounds; the key is bumped between rounds, so nine times.
fn philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = philoxRound(counter, key);
  var k = key;
  for (var i = 1u; i < 10u; i++) {
    k = philoxBump(k);
    c = philoxRound(c, k);
  }
  return c;
}
