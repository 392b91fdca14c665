// MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998), seeded with one 32-bit integer (init_genrand). It is the engine of
// PyTorch's CPU generator and of numpy.random.RandomState. It is sequential and makes its words in blocks of 624.
import { mersenneJumps } from './mt19937-jump.js'

export const MT_WORDS = 624
const SHIFT = 397

/** The 624 words of state before the first block. They are signed, because JavaScript engines do not box such integers. */
export function mersenneSeed(seed: number): Int32Array<ArrayBuffer> {
  const state = new Int32Array(MT_WORDS)
  state[0] = seed
  for (let i = 1; i < MT_WORDS; i++) {
    const before = state[i - 1]!
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
  }
  return state
}

/** The upper bit of one word, joined to the lower bits of the next and multiplied by the generator's matrix. */
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

/** Tempering: turns a word of the state into the word that the generator returns. */
export function mersenneTemper(word: number): number {
  let y = word
  y ^= y >>> 11
  y ^= (y << 7) & 0x9d2c5680
  y ^= (y << 15) & 0xefc60000
  return y ^ (y >>> 18)
}

/** Blocks between two stored states: 2.5 KiB of memory for every 2.5 MiB of words. */
const BLOCKS_PER_CHECKPOINT = 1024
/** Beyond this distance (2^26 words, a sixth of a second of stepping) a jump is faster, as bench/mersenne.mjs measures. */
const BLOCKS_WORTH_A_JUMP = /* @__PURE__ */ Math.ceil(2 ** 26 / MT_WORDS)

interface Checkpoint {
  /** The block whose state this is. */
  readonly block: number
  readonly state: Int32Array
}

/**
 * The words of one seed, at any position. Reading forwards costs a few nanoseconds per word. Going back costs the steps
 * from the nearest stored state, at most 2^20 words in a region that has been read before. Any other position costs a jump,
 * which takes about a second.
 */
export class MersenneStream {
  /** Sorted by block. */
  readonly #checkpoints: Checkpoint[]
  readonly #state: Int32Array<ArrayBuffer>
  /** Index of the block in `#state`. */
  #block = 0

  constructor(seed: number) {
    this.#state = mersenneSeed(seed >>> 0)
    mersenneTwist(this.#state)
    this.#checkpoints = [{ block: 0, state: this.#state.slice() }]
  }

  /** Writes the words [position, position + out.length) to `out`. */
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
    const near = this.#checkpoints[this.#lastBefore(block)]!
    if (block < this.#block || near.block > this.#block) {
      this.#state.set(near.state)
      this.#block = near.block
    }
    if (block - this.#block > BLOCKS_WORTH_A_JUMP) {
      mersenneJumps((block - this.#block) * MT_WORDS)(this.#state)
      this.#block = block
      this.#store()
    }
    while (this.#block < block) {
      mersenneTwist(this.#state)
      this.#block++
      if (this.#block % BLOCKS_PER_CHECKPOINT === 0) this.#store()
    }
  }

  /** Index of the last checkpoint at or before a block. */
  #lastBefore(block: number): number {
    let low = 0
    let high = this.#checkpoints.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#checkpoints[middle]!.block <= block) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Adds the current state to the checkpoints, unless it is there already. */
  #store(): void {
    const before = this.#lastBefore(this.#block)
    if (this.#checkpoints[before]!.block === this.#block) return
    this.#checkpoints.splice(before + 1, 0, { block: this.#block, state: this.#state.slice() })
  }
}

/** The streams of the most recently used seeds, so that reading a parameter in chunks does not start over each time. */
const recent = /* @__PURE__ */ new Map<number, MersenneStream>()
const CACHED_STREAMS = 4

export function mersenneStream(seed: number): MersenneStream {
  const key = seed >>> 0
  const stream = recent.get(key) ?? new MersenneStream(key)
  recent.delete(key)
  recent.set(key, stream)
  if (recent.size > CACHED_STREAMS) recent.delete(recent.keys().next().value!)
  return stream
}
