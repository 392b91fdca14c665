// MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998), seeded by one 32-bit integer (init_genrand): the engine of
// PyTorch's CPU generator and of numpy.random.RandomState. It is sequential: words come in blocks of 624.

export const MT_WORDS = 624
const SHIFT = 397

/** The 624 words of state before the first block. Signed: engines keep 32-bit integers of that kind unboxed. */
export function mersenneSeed(seed: number): Int32Array<ArrayBuffer> {
  const state = new Int32Array(MT_WORDS)
  state[0] = seed
  for (let i = 1; i < MT_WORDS; i++) {
    const before = state[i - 1]!
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
  }
  return state
}

/** The upper bit of one word and the lower bits of the next, times the matrix. */
const mix = (word: number, next: number): number => {
  const y = (word & 0x80000000) | (next & 0x7fffffff)
  return (y >>> 1) ^ (-(y & 1) & 0x9908b0df)
}

/** Advances the state by one block, in place. */
export function mersenneTwist(s: Int32Array): void {
  let i = 0
  for (; i < MT_WORDS - SHIFT; i++) s[i] = s[i + SHIFT]! ^ mix(s[i]!, s[i + 1]!)
  for (; i < MT_WORDS - 1; i++) s[i] = s[i + SHIFT - MT_WORDS]! ^ mix(s[i]!, s[i + 1]!)
  s[i] = s[SHIFT - 1]! ^ mix(s[i]!, s[0]!)
}

/** A word of state as it is given out. */
export function mersenneTemper(word: number): number {
  let y = word
  y ^= y >>> 11
  y ^= (y << 7) & 0x9d2c5680
  y ^= (y << 15) & 0xefc60000
  return y ^ (y >>> 18)
}
