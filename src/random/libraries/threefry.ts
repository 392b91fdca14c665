// CPU reference of shaders/random/libraries/threefry.wgsl.

const PARITY = 0x1bd11bda

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/**
 * Threefry2x32-20: two pseudo-random 32-bit words from a 64-bit counter and a 64-bit key. Exact.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Random123's known answers are
 * in test/vectors. It is the block function of `jax.random`.
 *
 * @param out receives the two words, unsigned
 */
export function threefry2x32(out: Uint32Array, key0: number, key1: number, counter0: number, counter1: number): void {
  const key2 = key0 ^ key1 ^ PARITY
  let x0 = (counter0 + key0) | 0
  let x1 = (counter1 + key1) | 0
  // Five groups of four rounds. Each group ends by adding two of the three key words in turn, and the groups alternate
  // between two sets of rotations.
  let k0 = key1 | 0
  let k1 = key2 | 0
  let k2 = key0 | 0
  for (let group = 1; group <= 5; group++) {
    const odd = (group & 1) !== 0
    x0 = (x0 + x1) | 0
    x1 = rotate(x1, odd ? 13 : 17) ^ x0
    x0 = (x0 + x1) | 0
    x1 = rotate(x1, odd ? 15 : 29) ^ x0
    x0 = (x0 + x1) | 0
    x1 = rotate(x1, odd ? 26 : 16) ^ x0
    x0 = (x0 + x1) | 0
    x1 = rotate(x1, odd ? 6 : 24) ^ x0
    x0 = (x0 + k0) | 0
    x1 = (x1 + k1 + group) | 0
    const next = k0
    k0 = k1
    k1 = k2
    k2 = next
  }
  out[0] = x0
  out[1] = x1
}
