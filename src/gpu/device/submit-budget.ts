/**
 * The device time that one submit may take, in milliseconds. Browsers and drivers reset a GPU that does not respond for
 * about two seconds. A submit should stay below half a second, and the estimate may be wrong by a factor of two.
 */
export const SUBMIT_MS = 250
/** The device time of a submit when the call has a progress listener or an abort signal, so that both are served in time. */
const WATCHED_SUBMIT_MS = 100
/** The rate before a pipeline was timed: 2^22 elements per submit, or 0.3 s of normals on the slowest device (SwiftShader). */
const UNKNOWN_RATE = 2 ** 22 / SUBMIT_MS
/** Milliseconds that a dispatch costs in addition to its elements: the initial value, and the bounds of the measured value. */
const DISPATCH_MS = { first: 0.02, least: 0.001, most: 0.05 }
/** A shorter time is mostly the latency of a submit, so it may raise a rate but never lower it. */
const LATENCY_MS = 30
/** A rate grows by at most this factor at a time, because the first measurement is of little work. */
const LARGEST_GROWTH = 16
/** Elements of the smallest piece into which a dispatch is divided: a multiple of eight, so whole words in every dtype. */
const SMALLEST_PIECE = 2 ** 16

/** The measured speed of a device, stored as long as the device exists. */
export interface Speed {
  /** Elements per millisecond, by pipeline. */
  readonly rates: Map<string, number>
  dispatchMs: number
}

export const unknownSpeed = (): Speed => ({ rates: new Map(), dispatchMs: DISPATCH_MS.first })

/** Decides how much more work fits into a submit, and learns from the time that the submit took. */
export class SubmitBudget {
  readonly #speed: Speed
  readonly #limit: number
  /** The elements in the current batch, by pipeline. */
  readonly #batch = new Map<string, number>()
  #dispatches = 0
  #estimate = 0

  constructor(speed: Speed, watched: boolean) {
    this.#speed = speed
    this.#limit = watched ? WATCHED_SUBMIT_MS : SUBMIT_MS
  }

  #rate(id: string): number {
    return this.#speed.rates.get(id) ?? UNKNOWN_RATE
  }

  /**
   * Adds elements to the current submit.
   * @param dispatches 0 for elements that share a dispatch with others
   * @returns how many of the `wanted` elements fit: all of them, a multiple of 2^16, or 0 when the submit is full. An empty
   *   submit always takes some.
   */
  take(id: string, wanted: number, dispatches: 0 | 1 = 1): number {
    const dispatchMs = dispatches * this.#speed.dispatchMs
    const room = (this.#limit - this.#estimate - dispatchMs) * this.#rate(id)
    let count = wanted
    if (wanted > room) {
      count = Math.max(0, Math.floor(room / SMALLEST_PIECE) * SMALLEST_PIECE)
      if (count === 0) {
        if (this.#dispatches > 0) return 0
        count = Math.min(wanted, SMALLEST_PIECE)
      }
    }
    this.#batch.set(id, (this.#batch.get(id) ?? 0) + count)
    this.#dispatches += dispatches
    this.#estimate += count / this.#rate(id) + dispatchMs
    return count
  }

  /** Adds all of `count` elements to the current submit if they fit. An empty submit takes any number. */
  takeWhole(id: string, count: number): boolean {
    const cost = count / this.#rate(id) + this.#speed.dispatchMs
    if (this.#dispatches > 0 && this.#estimate + cost > this.#limit) return false
    this.#batch.set(id, (this.#batch.get(id) ?? 0) + count)
    this.#dispatches++
    this.#estimate += cost
    return true
  }

  /** Counts dispatches that cost little more than the dispatch itself. */
  add(dispatches: number): void {
    this.#dispatches += dispatches
    this.#estimate += dispatches * this.#speed.dispatchMs
  }

  /** Ends a submit that took `milliseconds`, and corrects the rate that made up most of the estimate. */
  done(milliseconds: number): void {
    const factor = this.#estimate / Math.max(milliseconds, 0.01)
    if (factor > 1 || milliseconds >= LATENCY_MS) this.#correct(Math.min(factor, LARGEST_GROWTH))
    this.#batch.clear()
    this.#dispatches = 0
    this.#estimate = 0
  }

  #correct(factor: number): void {
    const most = this.#estimate / 2
    if (this.#dispatches * this.#speed.dispatchMs > most) {
      const { least, most: upper } = DISPATCH_MS
      this.#speed.dispatchMs = Math.min(upper, Math.max(least, this.#speed.dispatchMs / factor))
      return
    }
    for (const [id, count] of this.#batch) {
      const rate = this.#rate(id)
      if (count / rate > most) this.#speed.rates.set(id, rate * factor)
    }
  }
}
