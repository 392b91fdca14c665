import { BIN_COUNT } from '../../statistics/expected/rounded-distribution.js'
import type { MeasuredTensor } from '../../statistics/measured-tensor.js'
import type { GpuMeasuredTensor } from './pieces.js'

/** A distribution's edges as the shader takes them. A multiple of any device's alignment of uniforms. */
export const EDGE_TABLE_BYTES: number = 4 * BIN_COUNT

/** Before each edge, as the shader compares: signed integers in the order of the floats. Behind the last one no number is. */
function edgeTable(edges: Float32Array): Int32Array {
  const table = new Int32Array(BIN_COUNT).fill(0x7fffffff)
  const bits = new Int32Array(edges.buffer, edges.byteOffset, edges.length)
  bits.forEach((word, index) => {
    const key = (word & 0x7fffffff) === 0 ? 0 : word ^ ((word >> 31) & 0x7fffffff)
    table[index] = key - 1
  })
  return table
}

/** The edges of all distributions, one table after another, each distribution's once. */
export class EdgeTables {
  readonly words: Int32Array<ArrayBuffer>
  readonly #offsets = new Map<Float32Array, number>()

  constructor(tensors: readonly GpuMeasuredTensor[]) {
    for (const { tensor } of tensors) {
      const { edges } = tensor.normalisation
      if (!this.#offsets.has(edges)) this.#offsets.set(edges, this.#offsets.size * EDGE_TABLE_BYTES)
    }
    this.words = new Int32Array((this.#offsets.size * EDGE_TABLE_BYTES) / 4)
    for (const [edges, offset] of this.#offsets) this.words.set(edgeTable(edges), offset / 4)
  }

  /** In bytes. */
  offsetOf({ normalisation }: MeasuredTensor): number {
    return this.#offsets.get(normalisation.edges)!
  }
}
