/** How many edges are at or below x. */
export function binOf(x: number, edges: Float32Array, low = 0, high: number = edges.length): number {
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle]! <= x) low = middle + 1
    else high = middle
  }
  return low
}

/** `binOf` of many finite float32 numbers: their upper bits leave few bins to search. */
export class BinFinder {
  readonly #edges: Float32Array
  /** First and last bin of the numbers with these twelve bits: sign, exponent and three of the fraction. */
  readonly #bins = new Uint8Array(2 ** 13)

  /** @param edges at most 255, rising, without -0 */
  constructor(edges: Float32Array) {
    this.#edges = edges
    const ends = new Float32Array(2)
    const bits = new Uint32Array(ends.buffer)
    for (let key = 0; key < 2 ** 12; key++) {
      bits[0] = key << 20
      bits[1] = (key << 20) | 0xfffff
      const one = binOf(ends[0]!, edges)
      const other = binOf(ends[1]!, edges)
      this.#bins[2 * key] = Math.min(one, other)
      this.#bins[2 * key + 1] = Math.max(one, other)
    }
  }

  /** @param bits those of x */
  find(x: number, bits: number): number {
    const at = (bits >>> 20) << 1
    const low = this.#bins[at]!
    const high = this.#bins[at + 1]!
    return low === high ? low : binOf(x, this.#edges, low, high)
  }
}

let finders: WeakMap<Float32Array, BinFinder> | undefined

/** The finder of these edges, made once. */
export function binFinder(edges: Float32Array): BinFinder {
  finders ??= new WeakMap()
  let finder = finders.get(edges)
  if (finder === undefined) {
    finder = new BinFinder(edges)
    finders.set(edges, finder)
  }
  return finder
}
