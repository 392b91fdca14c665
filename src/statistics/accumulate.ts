// CPU reference of shaders/statistics/measure.wgsl, in float64. What is counted is the same; sums differ in their last digits.

import { binFinder, binOf } from './bins.js'
import { anchorWord, FINGERPRINT_LENGTH, START_LENGTH, startTerms } from './fingerprint.js'
import { type Measurement, type Normalisation, noMeasurement, WINDOW_LENGTH } from './measurement.js'
import { type Moments, mergeMoments, momentsOf, noMoments } from './moments.js'

/** Takes an anchor: element `index` of the run, and its bits with the following 15. */
export type AnchorSink = (bits: Uint32Array, at: number, index: number) => void

/** From this many elements in a piece on, a table of the bins is made up for. */
const FINDER_PAYS = 2 ** 13

/** Measures a run of elements that comes in pieces, in order. */
export class Accumulator {
  readonly #normalisation: Normalisation
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
  constructor(
    normalisation: Normalisation,
    start: number,
    anchors?: { readonly mask: number; readonly sink: AnchorSink },
  ) {
    this.#normalisation = normalisation
    this.#start = start
    this.#anchors = anchors
    this.#row = new Float32Array(normalisation.rowLength).fill(Number.NaN)
    this.#bins = new Float64Array(normalisation.edges.length === 0 ? 0 : normalisation.edges.length + 1)
  }

  add(values: Float32Array): void {
    const { center, scale, edges, rowLength } = this.#normalisation
    this.#moments = mergeMoments(this.#moments, momentsOf(values, center))
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
    const row = this.#row
    const bins = this.#bins
    const finder = values.length >= FINDER_PAYS && edges.length > 0 ? binFinder(edges) : undefined
    // Elements left of those whose bins are hashed, and until the window closes.
    const hashed = START_LENGTH - this.#start - this.#seen
    let closing = WINDOW_LENGTH - (this.#seen % WINDOW_LENGTH)
    let place = rowLength === 0 ? 0 : this.#seen % rowLength
    // Local: the loop is what a measurement costs, and fields would be read and written at every element.
    let before = this.#last
    let beforeBits = this.#lastBits
    let lag = this.#lag
    let lagPairs = this.#lagPairs
    let rowSum = this.#rowSum
    let rowPairs = this.#rowPairs
    let equal = this.#equal
    let windowSum = this.#windowSum
    let windowSquares = this.#windowSquares
    let windowFinite = this.#windowFinite
    for (let i = 0; i < values.length; i++) {
      const x = values[i]!
      const xBits = bits[i]!
      const finite = x - x === 0
      const y = finite ? (x - center) * scale : Number.NaN
      if (finite) {
        let bin = 0
        if (edges.length > 0) {
          bin = finder === undefined ? binOf(x, edges) : finder.find(x, xBits)
          bins[bin]!++
        }
        if (i < hashed) {
          const [a, b] = startTerms(bin, START_LENGTH - hashed + i)
          this.#hash = [(this.#hash[0] + a) >>> 0, (this.#hash[1] + b) >>> 0]
        }
        if (xBits === beforeBits) equal++
        windowSum += y
        windowSquares += y * y
        windowFinite++
      }
      // NaN stands for what is not finite, and for what came before the run.
      const product = before * y
      if (!Number.isNaN(product)) {
        lag += product
        lagPairs++
      }
      if (rowLength > 0) {
        const across = row[place]! * y
        if (!Number.isNaN(across)) {
          rowSum += across
          rowPairs++
        }
        row[place] = y
        place = place + 1 === rowLength ? 0 : place + 1
      }
      before = y
      beforeBits = xBits
      closing--
      if (closing === 0) {
        if (windowFinite === WINDOW_LENGTH) this.#noteWindow(windowSum, windowSquares)
        windowSum = 0
        windowSquares = 0
        windowFinite = 0
        closing = WINDOW_LENGTH
      }
    }
    if (this.#anchors !== undefined) this.#findAnchors(bits)
    this.#seen += values.length
    this.#last = before
    this.#lastBits = beforeBits
    this.#lag = lag
    this.#lagPairs = lagPairs
    this.#rowSum = rowSum
    this.#rowPairs = rowPairs
    this.#equal = equal
    this.#windowSum = windowSum
    this.#windowSquares = windowSquares
    this.#windowFinite = windowFinite
  }

  #noteWindow(sum: number, squares: number): void {
    const { count, farthestSum, leastSquares, mostSquares } = this.#windows
    this.#windows = {
      count: count + 1,
      farthestSum: Math.max(farthestSum, Math.abs(sum)),
      leastSquares: Math.min(leastSquares, squares),
      mostSquares: Math.max(mostSquares, squares),
    }
  }

  #findAnchors(fresh: Uint32Array): void {
    const { mask, sink } = this.#anchors!
    const bits = new Uint32Array(this.#carried.length + fresh.length)
    bits.set(this.#carried)
    bits.set(fresh, this.#carried.length)
    const first = this.#seen - this.#carried.length
    const ready = bits.length - FINGERPRINT_LENGTH + 1
    for (let i = 0; i < ready; i++) {
      if ((anchorWord(bits, i) & mask) === 0 && (bits[i]! & 0x7f800000) !== 0x7f800000) sink(bits, i, first + i)
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
