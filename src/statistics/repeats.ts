import { fingerprint } from './fingerprint.js'

/** An element that is followed by the same 16 elements as another one. */
export interface Repeat {
  readonly name: string
  readonly element: number
  readonly firstName: string
  readonly firstElement: number
}

export interface Repeats {
  /** Anchors that were looked at. */
  readonly anchorCount: number
  /** How many of them had the fingerprint of another one before. */
  readonly count: number
  /** Some of them. */
  readonly examples: readonly Repeat[]
}

export const noRepeats: Repeats = { anchorCount: 0, count: 0, examples: [] }
/** As many as shaders/statistics/repeats.wgsl lists. */
export const LISTED_REPEATS = 256

export function sortedRepeats(examples: readonly Repeat[]): Repeat[] {
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  return [...examples].sort((a, b) => order(a.name, b.name) || a.element - b.element)
}

/** CPU reference of shaders/statistics/repeats.wgsl: finds anchors with equal fingerprints. */
export class RepeatFinder {
  /** By 53 bits of the fingerprint. */
  readonly #seen = new Map<number, { readonly name: string; readonly element: number }>()
  readonly #examples: Repeat[] = []
  #anchorCount = 0
  #count = 0

  note(name: string, element: number, bits: Uint32Array, at: number): void {
    const [a, b] = fingerprint(bits, at)
    const key = a * 2 ** 21 + (b & 0x1fffff)
    this.#anchorCount++
    const first = this.#seen.get(key)
    if (first === undefined) {
      this.#seen.set(key, { name, element })
      return
    }
    this.#count++
    if (this.#examples.length < LISTED_REPEATS) {
      this.#examples.push({ name, element, firstName: first.name, firstElement: first.element })
    }
  }

  result(): Repeats {
    return { anchorCount: this.#anchorCount, count: this.#count, examples: sortedRepeats(this.#examples) }
  }
}
