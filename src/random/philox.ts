// CPU reference of shaders/random/philox.wgsl.

const PHILOX_M0 = 0xd2511f53
const PHILOX_M1 = 0xcd9e8d57
const PHILOX_W0 = 0x9e3779b9
const PHILOX_W1 = 0xbb67ae85

/** The high 32 bits of the 64-bit product of two unsigned 32-bit integers. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16)
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff)
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0
}

/**
 * Philox4x32-10: four pseudo-random 32-bit words from a 128-bit counter and a 64-bit key. Exact.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Random123's known answers are
 * in test/vectors/random123.json.
 *
 * @param out receives the four words, unsigned; it may be reused between calls
 */
export function philox4x32(
  out: Uint32Array,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
): void {
  let c0 = counter0 | 0
  let c1 = counter1 | 0
  let c2 = counter2 | 0
  let c3 = counter3 | 0
  let k0 = key0 | 0
  let k1 = key1 | 0
  for (let round = 0; round < 10; round++) {
    // multiplyHigh, inlined with the halves of the constants, because the CPU path spends most of its time in this loop.
    let low = c0 & 0xffff
    let high = c0 >>> 16
    let middle = (Math.imul(high, 0x1f53) >>> 0) + (Math.imul(low, 0x1f53) >>> 16)
    let carry = (Math.imul(low, 0xd251) >>> 0) + (middle & 0xffff)
    const high0 = (Math.imul(high, 0xd251) + (middle >>> 16) + (carry >>> 16)) | 0
    const low0 = Math.imul(c0, PHILOX_M0)
    low = c2 & 0xffff
    high = c2 >>> 16
    middle = (Math.imul(high, 0x8d57) >>> 0) + (Math.imul(low, 0x8d57) >>> 16)
    carry = (Math.imul(low, 0xcd9e) >>> 0) + (middle & 0xffff)
    const high1 = (Math.imul(high, 0xcd9e) + (middle >>> 16) + (carry >>> 16)) | 0
    const low1 = Math.imul(c2, PHILOX_M1)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + PHILOX_W0) | 0
    k1 = (k1 + PHILOX_W1) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}
