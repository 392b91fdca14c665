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

/** Words between two kept states: 2.5 KiB for every 2.5 MiB of words. */
const BLOCKS_PER_CHECKPOINT = 1024

/**
 * The words of one seed at any position. Reading on costs a few nanoseconds a word; going back, or jumping, costs at most
 * the walk from the nearest kept state (2^20 words or less where the stream has been before).
 */
export class MersenneStream {
  /** State before block i * BLOCKS_PER_CHECKPOINT has been twisted out. */
  readonly #checkpoints: Int32Array[]
  readonly #state: Int32Array<ArrayBuffer>
  /** Index of the block that `#state` holds; -1 before the first. */
  #block = -1

  constructor(seed: number) {
    this.#state = mersenneSeed(seed >>> 0)
    this.#checkpoints = [this.#state.slice()]
  }

  /** Words [position, position + out.length) into `out`. */
  read(position: number, out: Uint32Array): void {
    const target = new Int32Array(out.buffer, out.byteOffset, out.length)
    let block = Math.floor(position / MT_WORDS)
    let at = position % MT_WORDS
    for (let done = 0; done < out.length; block++, at = 0) {
      this.#seek(block)
      const count = Math.min(MT_WORDS - at, out.length - done)
      const state = this.#state
      for (let i = 0; i < count; i++) target[done + i] = mersenneTemper(state[at + i]!)
      done += count
    }
  }

  #seek(block: number): void {
    const wanted = Math.min(Math.floor(block / BLOCKS_PER_CHECKPOINT), this.#checkpoints.length - 1)
    if (block < this.#block || wanted * BLOCKS_PER_CHECKPOINT > this.#block + 1) {
      this.#state.set(this.#checkpoints[wanted]!)
      this.#block = wanted * BLOCKS_PER_CHECKPOINT - 1
    }
    while (this.#block < block) {
      const next = this.#block + 1
      if (next === this.#checkpoints.length * BLOCKS_PER_CHECKPOINT) this.#checkpoints.push(this.#state.slice())
      mersenneTwist(this.#state)
      this.#block = next
    }
  }
}

/** Streams of the seeds used last, so that reading a parameter in chunks does not start over. */
const recent = /* @__PURE__ */ new Map<number, MersenneStream>()
const KEPT_STREAMS = 4

export function mersenneStream(seed: number): MersenneStream {
  const key = seed >>> 0
  const stream = recent.get(key) ?? new MersenneStream(key)
  recent.delete(key)
  recent.set(key, stream)
  if (recent.size > KEPT_STREAMS) recent.delete(recent.keys().next().value!)
  return stream
}
