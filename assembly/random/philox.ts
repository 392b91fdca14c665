// WebAssembly version of src/random/philox.ts: four blocks at a time, one in each lane.

const PHILOX_M0: u32 = 0xd2511f53
const PHILOX_M1: u32 = 0xcd9e8d57
const PHILOX_W0: u32 = 0x9e3779b9
const PHILOX_W1: u32 = 0xbb67ae85

/**
 * Writes the words of `blocks` blocks (rounded up to a multiple of four) to the start of the memory, in the order of the
 * elements. The 64-bit counter starts at (counterLow, counterHigh) and wraps.
 */
export function philox4x32(blocks: u32, counterLow: u32, counterHigh: u32, key0: u32, key1: u32): void {
  const m0 = i32x4.splat(PHILOX_M0)
  const m1 = i32x4.splat(PHILOX_M1)
  let counter = ((counterHigh as u64) << 32) | (counterLow as u64)
  const end: usize = blocks << 4
  for (let at: usize = 0; at < end; at += 64) {
    const first = i32x4.splat(counter as u32)
    let c0 = i32x4.add(first, i32x4(0, 1, 2, 3))
    // A low word that wrapped is less than the first one. The comparison is -1 there, and subtracting it adds the carry.
    let c1 = i32x4.sub(i32x4.splat((counter >> 32) as u32), i32x4.lt_u(c0, first))
    let c2 = i32x4.splat(0)
    let c3 = i32x4.splat(0)
    let k0 = key0
    let k1 = key1
    for (let round = 0; round < 10; round++) {
      const even0 = i64x2.extmul_low_i32x4_u(c0, m0)
      const odd0 = i64x2.extmul_high_i32x4_u(c0, m0)
      const even1 = i64x2.extmul_low_i32x4_u(c2, m1)
      const odd1 = i64x2.extmul_high_i32x4_u(c2, m1)
      c0 = v128.xor(v128.xor(v128.shuffle<u32>(even1, odd1, 1, 3, 5, 7), c1), i32x4.splat(k0))
      c1 = v128.shuffle<u32>(even1, odd1, 0, 2, 4, 6)
      c2 = v128.xor(v128.xor(v128.shuffle<u32>(even0, odd0, 1, 3, 5, 7), c3), i32x4.splat(k1))
      c3 = v128.shuffle<u32>(even0, odd0, 0, 2, 4, 6)
      k0 += PHILOX_W0
      k1 += PHILOX_W1
    }
    // Transpose: each vector holds one word of four blocks, and afterwards the four words of one block.
    const low01 = v128.shuffle<u32>(c0, c1, 0, 4, 1, 5)
    const low23 = v128.shuffle<u32>(c2, c3, 0, 4, 1, 5)
    const high01 = v128.shuffle<u32>(c0, c1, 2, 6, 3, 7)
    const high23 = v128.shuffle<u32>(c2, c3, 2, 6, 3, 7)
    v128.store(at, v128.shuffle<u64>(low01, low23, 0, 2))
    v128.store(at, v128.shuffle<u64>(low01, low23, 1, 3), 16)
    v128.store(at, v128.shuffle<u64>(high01, high23, 0, 2), 32)
    v128.store(at, v128.shuffle<u64>(high01, high23, 1, 3), 48)
    counter += 4
  }
}
