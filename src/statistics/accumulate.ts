// Twin of shaders/statistics/measure.wgsl, in float64. What is counted is the same; sums differ in their last digits.

import { FINGERPRINT_LENGTH, START_LENGTH, scramble, startTerms } from './fingerprint.js'
import { type Measurement, noMeasurement, WINDOW_LENGTH, type Yardstick } from './measurement.js'
import { type Moments, mergeMoments, momentsOf, noMoments } from './moments.js'

/** Takes an anchor: element `index` of the run, and its bits with the following 15. */
export type AnchorSink = (bits: Uint32Array, at: number, index: number) => void

/** Measures a run of elements that comes in pieces, in order. */
export class Accumulator {
  readonly #yardstick: Yardstick
  readonly #start: number
  readonly #anchors: { readonly mask: number; readonly sink: AnchorSink } | undefined
  #moments: Moments = noMoments
  readonly #bins: Float64Array
  #seen = 0
  #last = Number.NaN
  #lastBits = 0x7f800000
  #lag = 0
  #lagPairs = 0
  /** The last row, as a ring. */
  readonly #row: Float32Array
  #rowSum = 0
  #rowPairs = 0
  #equal = 0
  #windowSum = 0
  #windowSquares = 0
  #windowFinite = 0
  #windows = { ...noMeasurement.windows }
  #hash: [number, number] = [0, 0]
  /** Bits of the last elements: an anchor's fingerprint may reach into the next piece. */
  #carried = new Uint32Array(0)

  /** @param start index of the run's first element within its tensor */
  constructor(yardstick: Yardstick, start: number, anchors?: { readonly mask: number; readonly sink: AnchorSink }) {
    this.#yardstick = yardstick
    this.#start = start
    this.#anchors = anchors
    this.#row = new Float32Array(yardstick.rowLength).fill(Number.NaN)
    this.#bins = new Float64Array(yardstick.edges.length === 0 ? 0 : yardstick.edges.length + 1)
  }

  add(values: Float32Array): void {
    const { center, scale, edges, rowLength } = this.#yardstick
    this.#moments = mergeMoments(this.#moments, momentsOf(values, center))
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
    const row = this.#row
    const bins = this.#bins
    let before = this.#last
    let beforeBits = this.#lastBits
    let place = rowLength === 0 ? 0 : this.#seen % rowLength
    for (let i = 0; i < values.length; i++) {
      const x = values[i]!
      const finite = x - x === 0
      const y = finite ? (x - center) * scale : Number.NaN
      if (finite) {
        let bin = 0
        if (edges.length > 0) {
          bin = binOf(x, edges)
          bins[bin]!++
        }
        const index = this.#start + this.#seen + i
        if (index < START_LENGTH) {
          const [a, b] = startTerms(bin, index)
          this.#hash = [(this.#hash[0] + a) >>> 0, (this.#hash[1] + b) >>> 0]
        }
        if (bits[i] === beforeBits) this.#equal++
        this.#windowSum += y
        this.#windowSquares += y * y
        this.#windowFinite++
      }
      // NaN stands for what is not finite, and for what came before the run.
      const product = before * y
      if (!Number.isNaN(product)) {
        this.#lag += product
        this.#lagPairs++
      }
      if (rowLength > 0) {
        const across = row[place]! * y
        if (!Number.isNaN(across)) {
          this.#rowSum += across
          this.#rowPairs++
        }
        row[place] = y
        place = place + 1 === rowLength ? 0 : place + 1
      }
      before = y
      beforeBits = bits[i]!
      if ((this.#seen + i + 1) % WINDOW_LENGTH === 0) this.#closeWindow()
    }
    if (this.#anchors !== undefined) this.#findAnchors(bits)
    this.#seen += values.length
    this.#last = before
    this.#lastBits = beforeBits
  }

  #closeWindow(): void {
    if (this.#windowFinite === WINDOW_LENGTH) {
      const { count, farthestSum, leastSquares, mostSquares } = this.#windows
      this.#windows = {
        count: count + 1,
        farthestSum: Math.max(farthestSum, Math.abs(this.#windowSum)),
        leastSquares: Math.min(leastSquares, this.#windowSquares),
        mostSquares: Math.max(mostSquares, this.#windowSquares),
      }
    }
    this.#windowSum = 0
    this.#windowSquares = 0
    this.#windowFinite = 0
  }

  #findAnchors(fresh: Uint32Array): void {
    const { mask, sink } = this.#anchors!
    const bits = new Uint32Array(this.#carried.length + fresh.length)
    bits.set(this.#carried)
    bits.set(fresh, this.#carried.length)
    const first = this.#seen - this.#carried.length
    const ready = bits.length - FINGERPRINT_LENGTH + 1
    for (let i = 0; i < ready; i++) {
      const word = bits[i]!
      if ((scramble(word) & mask) === 0 && (word & 0x7f800000) !== 0x7f800000) sink(bits, i, first + i)
    }
    this.#carried = bits.slice(Math.max(0, ready))
  }

  finish(): Measurement {
    return {
      moments: this.#moments,
      bins: [...this.#bins],
      lag: { sum: this.#lag, pairs: this.#lagPairs },
      row: { sum: this.#rowSum, pairs: this.#rowPairs },
      equalNeighbours: this.#equal,
      windows: this.#windows,
      startHash: this.#hash,
    }
  }
}

/** How many edges are at or below x. */
function binOf(x: number, edges: Float32Array): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle]! <= x) low = middle + 1
    else high = middle
  }
  return low
}
