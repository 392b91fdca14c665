/**
 * Device time that one submit may take, in milliseconds. Browsers and drivers reset a GPU that does not answer for about
 * two seconds; half a second is the limit aimed at, and the estimate may be off by two.
 */
const SUBMIT_MS = 250
/** With a listener for progress or an abort signal, less, so that they are heard in time. */
const WATCHED_SUBMIT_MS = 100
/** Before a pipeline was timed: 2^22 elements in a submit, 0.3 s of normals on the slowest device measured (SwiftShader). */
const UNKNOWN_RATE = 2 ** 22 / SUBMIT_MS
/** A submit of nothing may take this long. */
const LATENCY_MS = 30
/** A rate grows by at most this factor at a time: the first measurement is of little work. */
const LARGEST_GROWTH = 16
/** Elements of the smallest piece that a dispatch is cut to; a multiple of eight, whole words in every dtype. */
const SMALLEST_PIECE = 2 ** 16

/** Elements per millisecond by pipeline, learnt on a device. Lives as long as the device. */
export type Rates = Map<string, number>

/** Says how much work still fits into a submit, and learns from how long it took. */
export class Pacer {
  readonly #rates: Rates
  readonly #limit: number
  readonly #load = new Map<string, number>()
  #estimate = 0

  constructor(rates: Rates, watched: boolean) {
    this.#rates = rates
    this.#limit = watched ? WATCHED_SUBMIT_MS : SUBMIT_MS
  }

  #rate(id: string): number {
    return this.#rates.get(id) ?? UNKNOWN_RATE
  }

  /**
   * Of `wanted` elements, how many go into the submit now: all, a piece that is a multiple of 2^16, or 0 when it is full.
   * An empty submit always takes something.
   */
  take(id: string, wanted: number): number {
    const room = (this.#limit - this.#estimate) * this.#rate(id)
    let count = wanted
    if (wanted > room) {
      count = Math.floor(room / SMALLEST_PIECE) * SMALLEST_PIECE
      if (count <= 0) {
        if (this.#estimate > 0) return 0
        count = Math.min(wanted, SMALLEST_PIECE)
      }
    }
    this.#load.set(id, (this.#load.get(id) ?? 0) + count)
    this.#estimate += count / this.#rate(id)
    return count
  }

  /** Ends a submit that took `milliseconds`: the pipeline that made most of the estimate is corrected. */
  done(milliseconds: number): void {
    for (const [id, count] of this.#load) {
      const share = count / this.#rate(id) / this.#estimate
      if (share < 0.5) continue
      const factor = this.#estimate / Math.max(milliseconds, 0.01)
      // So short a time is mostly the latency of a submit: it may raise a rate, never lower it.
      if (factor < 1 && milliseconds < LATENCY_MS) continue
      this.#rates.set(id, this.#rate(id) * Math.min(factor, LARGEST_GROWTH))
    }
    this.#load.clear()
    this.#estimate = 0
  }
}
