/** Unsigned 32-bit words from a seed (splitmix32): test inputs that are the same on every run. */
export function seededWords(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
}

/** Words at the edges of 32 bits and of the quarter turns. */
export const edgeWords: readonly number[] = [
  0, 1, 2, 3, 0xffff, 0x10000, 0x1fffffff, 0x20000000, 0x20000001, 0x3fffffff, 0x40000000, 0x40000001, 0x5fffffff,
  0x60000000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0x9fffffff, 0xa0000000, 0xbfffffff, 0xc0000000,
  0xdfffffff, 0xe0000000, 0xfffffffe, 0xffffffff,
]
