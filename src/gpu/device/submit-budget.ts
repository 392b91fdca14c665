/**
 * Device time that one submit may take, in milliseconds. Browsers and drivers reset a GPU that does not answer for about
 * two seconds; half a second is the limit aimed at, and the estimate may be off by two.
 */
export const SUBMIT_MS = 250
/** With a listener for progress or an abort signal, less, so that they are heard in time. */
const WATCHED_SUBMIT_MS = 100
/** Before a pipeline was timed: 2^22 elements in a submit, 0.3 s of normals on the slowest device measured (SwiftShader). */
const UNKNOWN_RATE = 2 ** 22 / SUBMIT_MS
/** Milliseconds that a dispatch costs beside its elements: at first, and the bounds of what is learnt. */
const DISPATCH_MS = { first: 0.02, least: 0.001, most: 0.05 }
/** So short a time is mostly the latency of a submit: it may raise a rate, never lower it. */
const LATENCY_MS = 30
/** A rate grows by at most this factor at a time: the first measurement is of little work. */
const LARGEST_GROWTH = 16
/** Elements of the smallest piece that a dispatch is cut to; a multiple of eight, whole words in every dtype. */
const SMALLEST_PIECE = 2 ** 16

/** What was learnt about a device's speed. Lives as long as the device. */
export interface Speed {
  /** Elements per millisecond, by pipeline. */
  readonly rates: Map<string, number>
  dispatchMs: number
}

export const unknownSpeed = (): Speed => ({ rates: new Map(), dispatchMs: DISPATCH_MS.first })

/** Says how much work still fits into a submit, and learns from how long it took. */
export class SubmitBudget {
  readonly #speed: Speed
  readonly #limit: number
  /** Elements of the submit by pipeline. */
  readonly #load = new Map<string, number>()
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
   * Of `wanted` elements, how many go into the submit now: all, a piece that is a multiple of 2^16, or 0 when it is full.
   * An empty submit always takes something.
   * @param dispatches 0 for elements that share a dispatch with others
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
    this.#load.set(id, (this.#load.get(id) ?? 0) + count)
    this.#dispatches += dispatches
    this.#estimate += count / this.#rate(id) + dispatchMs
    return count
  }

  /** Whether all of `count` elements go into the submit now. An empty submit takes anything. */
  takeWhole(id: string, count: number): boolean {
    const cost = count / this.#rate(id) + this.#speed.dispatchMs
    if (this.#dispatches > 0 && this.#estimate + cost > this.#limit) return false
    this.#load.set(id, (this.#load.get(id) ?? 0) + count)
    this.#dispatches++
    this.#estimate += cost
    return true
  }

  /** Counts dispatches that do next to nothing beside being dispatches. */
  add(dispatches: number): void {
    this.#dispatches += dispatches
    this.#estimate += dispatches * this.#speed.dispatchMs
  }

  /** Ends a submit that took `milliseconds`: whatever made most of the estimate is corrected. */
  done(milliseconds: number): void {
    const factor = this.#estimate / Math.max(milliseconds, 0.01)
    if (factor > 1 || milliseconds >= LATENCY_MS) this.#correct(Math.min(factor, LARGEST_GROWTH))
    this.#load.clear()
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
    for (const [id, count] of this.#load) {
      const rate = this.#rate(id)
      if (count / rate > most) this.#speed.rates.set(id, rate * factor)
    }
  }
}
