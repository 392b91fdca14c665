import { MT_WORDS, mersenneSeed, mersenneTemper, mersenneTwist } from './mt19937.js'
import { mersenneJump } from './mt19937-jump.js'

/** Words between two kept states: 2.5 KiB for every 2.5 MiB of words ... */
const BLOCKS_PER_CHECKPOINT = 1024
/** ... until 10 MiB are kept, which is for 2.6 G words. */
const MOST_CHECKPOINTS = 4096
/** From so many blocks on a jump is quicker than the walk: some 0.2 G words. */
const BLOCKS_TO_JUMP = 2 ** 18

/**
 * The words of one seed at any position. Reading on costs a few nanoseconds a word; going back, or on, costs at most the
 * walk from the nearest kept state (2^20 words or less where the stream has been before), or a jump of about a second.
 */
export class MersenneStream {
  /** States by their block, before the next is twisted out. */
  readonly #checkpoints = new Map<number, Int32Array>()
  readonly #state: Int32Array<ArrayBuffer>
  /** Index of the block that `#state` holds; -1 before the first. */
  #block = -1

  constructor(seed: number) {
    this.#state = mersenneSeed(seed >>> 0)
    this.#checkpoints.set(-1, this.#state.slice())
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
    if (block !== this.#block && block !== this.#block + 1) this.#start(block)
    while (this.#block < block) {
      mersenneTwist(this.#state)
      this.#block++
      this.#keep()
    }
  }

  /** Goes to the nearest state at or before a block, or, where all are far, to the block itself. */
  #start(block: number): void {
    let nearest = this.#block <= block ? this.#block : -1
    for (const kept of this.#checkpoints.keys()) if (kept <= block && kept > nearest) nearest = kept
    if (nearest !== this.#block) {
      this.#state.set(this.#checkpoints.get(nearest)!)
      this.#block = nearest
    }
    if (block - nearest < BLOCKS_TO_JUMP) return
    if (this.#block < 0) {
      mersenneTwist(this.#state)
      this.#block = 0
    }
    mersenneJump(this.#state, block - this.#block)
    this.#block = block
    this.#keep()
  }

  #keep(): void {
    const block = this.#block
    if (block % BLOCKS_PER_CHECKPOINT !== 0 || this.#checkpoints.size >= MOST_CHECKPOINTS) return
    if (!this.#checkpoints.has(block)) this.#checkpoints.set(block, this.#state.slice())
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
