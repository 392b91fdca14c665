// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// It uses only integers, so it is exact on every device. CPU reference: src/random/philox.ts. The known answers are in
// test/vectors/random123.json.

const PHILOX_M0 = 0xD2511F53u;
const PHILOX_M1 = 0xCD9E8D57u;
const PHILOX_W0 = 0x9E3779B9u;
const PHILOX_W1 = 0xBB67AE85u;

/// The high 32 bits of a * b, computed with 16-bit limbs because WGSL has no 64-bit integers. No partial sum overflows.
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let carry = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (carry >> 16u);
}

/// multiplyHigh(a, PHILOX_M0) with fewer operations: the limbs of this constant add up to less than 2^16, so the sum of the
/// middle products has no carry.
fn multiplyHighM0(a: u32) -> u32 {
  let low = a & 0xffffu;
  let high = a >> 16u;
  return high * 0xD251u + ((low * 0xD251u + high * 0x1F53u + ((low * 0x1F53u) >> 16u)) >> 16u);
}

/// multiplyHigh(a, PHILOX_M1), computed as a minus a * (2^32 - PHILOX_M1) / 2^32 rounded up. The limbs 0x3261 and 0x72A9 of
/// 2^32 - PHILOX_M1 add up to less than 2^16. Rounding up in both steps rounds up the whole quotient.
fn multiplyHighM1(a: u32) -> u32 {
  let low = a & 0xffffu;
  let high = a >> 16u;
  let up = (low * 0x72A9u + 0xffffu) >> 16u;
  return a - (high * 0x3261u + ((low * 0x3261u + high * 0x72A9u + up + 0xffffu) >> 16u));
}

fn philoxRound(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  return vec4<u32>(
    multiplyHighM1(counter.z) ^ counter.y ^ key.x,
    counter.z * PHILOX_M1,
    multiplyHighM0(counter.x) ^ counter.w ^ key.y,
    counter.x * PHILOX_M0,
  );
}

fn philoxBump(key: vec2<u32>) -> vec2<u32> {
  return key + vec2<u32>(PHILOX_W0, PHILOX_W1);
}

/// Ten rounds; the key is bumped between them, which is nine times.
fn philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = philoxRound(counter, key);
  var k = key;
  for (var i = 1u; i < 10u; i++) {
    k = philoxBump(k);
    c = philoxRound(c, k);
  }
  return c;
}

/// The part of a block that depends only on the counter's high word and the key: a product of the second round. An invocation
/// computes it once for all its blocks and passes it to philoxBlock.
fn philoxHighWord(high: u32, key: vec2<u32>) -> vec2<u32> {
  let x = high ^ key.x;
  return vec2<u32>(x * PHILOX_M0, multiplyHighM0(x));
}

/// philox4x32(vec4(low, high, 0, 0), key), where `highWord` is philoxHighWord(high, key). The first two rounds need only half of
/// their products, because the others are products of zero or of the high word.
fn philoxBlock(low: u32, highWord: vec2<u32>, key: vec2<u32>) -> vec4<u32> {
  let z = multiplyHighM0(low) ^ key.y;
  var k = philoxBump(key);
  var c = vec4<u32>(multiplyHighM1(z) ^ k.x, z * PHILOX_M1, highWord.y ^ (low * PHILOX_M0) ^ k.y, highWord.x);
  for (var i = 2u; i < 10u; i++) {
    k = philoxBump(k);
    c = philoxRound(c, k);
  }
  return c;
}
