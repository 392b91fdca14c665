import type { KernelDispatch } from '../pipelines/kernels.js'
import type { Kernels, StepName } from './kernels.js'
import {
  CHUNK,
  MAX_GROUPS,
  type OrthogonalLayout,
  PANEL,
  PANEL_QUADS,
  type ScratchName,
  stride,
  WINDOW_ROWS,
} from './layout.js'
import { FLIP, packTask, type Task } from './task.js'

/** A matrix in a scratch buffer. Offsets and strides count vec4s. */
export interface Place {
  readonly buffer: GPUBuffer
  readonly offset: number
  readonly stride: number
  readonly batch: number
}

/** The matrices in a group's scratch buffers, and as dispatches the products and sums of them that a panel needs. */
export class PanelKernels {
  readonly #layout: OrthogonalLayout
  readonly #buffers: Readonly<Record<ScratchName, GPUBuffer>>
  readonly #kernels: Kernels

  constructor(layout: OrthogonalLayout, buffers: Readonly<Record<ScratchName, GPUBuffer>>, kernels: Kernels) {
    this.#layout = layout
    this.#buffers = buffers
    this.#kernels = kernels
  }

  vectors(first: number): Place {
    const { lengthQuads, matrixQuads } = this.#layout
    return { buffer: this.#buffers.vectors, offset: first * lengthQuads, stride: lengthQuads, batch: matrixQuads }
  }

  transposed(): Place {
    const { countQuads, matrixQuads } = this.#layout
    return { buffer: this.#buffers.transposed, offset: 0, stride: countQuads, batch: matrixQuads }
  }

  panel(buffer: GPUBuffer): Place {
    const { lengthQuads } = this.#layout
    return { buffer, offset: 0, stride: lengthQuads, batch: PANEL * lengthQuads }
  }

  flipped(): Place {
    return this.small('flipped', this.#layout.rows)
  }

  /** A matrix with rows of 32 floats. */
  small(name: ScratchName, rows: number): Place {
    return { buffer: this.#buffers[name], offset: 0, stride: PANEL_QUADS, batch: rows * PANEL_QUADS }
  }

  /** transpose(a) * b, where a is depth x 32 and b is depth x columns, as parts that are still to be added up. */
  gram(a: Place, depth: number, b: Place, columns: number): KernelDispatch[] {
    const { batch } = this.#layout
    const quads = columns / 4
    const c = this.parts(columns, depth)
    const size = PANEL * c.stride
    const work: KernelDispatch[] = []
    const { gram, lanes, window } = this.#kernels
    const together = window ? Math.max(1, Math.floor(WINDOW_ROWS / (a.batch / PANEL_QUADS))) : batch
    for (let matrix = 0; matrix < batch; matrix += together) {
      const matrices = Math.min(together, batch - matrix)
      for (let row = 0; row < depth; row += window ? WINDOW_ROWS : depth) {
        const rows = window ? Math.min(WINDOW_ROWS, depth - row) : depth
        const splits = Math.ceil(rows / CHUNK)
        // A uniform binding has to begin exactly where the rows begin.
        const binding = { offset: 16 * (matrix * a.batch + row * PANEL_QUADS), size: 16 * WINDOW_ROWS * PANEL_QUADS }
        work.push({
          ...gram,
          record: packTask({
            aBatch: a.batch,
            bOffset: b.offset + matrix * b.batch + row * b.stride,
            bStride: b.stride,
            bBatch: b.batch,
            cOffset: c.offset + matrix * c.batch + (row / CHUNK) * size,
            cStride: c.stride,
            cBatch: c.batch,
            columns: quads,
            depth: rows,
            chunk: CHUNK,
            splits,
            splitStride: size,
          }),
          output: { buffer: c.buffer },
          a: { buffer: a.buffer, ...(window ? binding : {}) },
          b: { buffer: b.buffer },
          grid: [Math.ceil(quads / (2 * lanes)), 2, matrices * splits],
          cost: matrices * rows * PANEL * columns,
        })
      }
    }
    return work
  }

  /** Adds up the parts of a `rows` x `columns` product of this depth. */
  combine(rows: number, columns: number, depth: number, to: Place, flags: number): KernelDispatch {
    const parts = this.parts(columns, depth)
    return this.#blocks(parts, rows, columns, to, { ...this.#splits(parts, depth), flags })
  }

  /** Subtracts the parts of a product of this depth from the panel `from`, and writes the result in both orientations. */
  subtract(depth: number, from: Place, to: Place, flipped: Place): KernelDispatch {
    const { rows, batch } = this.#layout
    const parts = this.parts(rows, depth)
    return this.step(
      'subtract',
      {
        ...{ aOffset: parts.offset, aStride: parts.stride, aBatch: parts.batch },
        ...{ bOffset: from.offset, bStride: from.stride, bBatch: from.batch },
        ...{ cOffset: to.offset, cStride: to.stride, cBatch: to.batch, columns: rows / 4 },
        ...{ dOffset: flipped.offset, dStride: flipped.stride, dBatch: flipped.batch },
        ...this.#splits(parts, depth),
      },
      [to.buffer, parts.buffer, from.buffer, flipped.buffer],
      [Math.ceil(rows / 128), PANEL / 4, batch],
    )
  }

  /** transpose(a) * b, where a is 32 x 32 and b is a panel, in both orientations. */
  apply(a: Place, b: Place, to: Place, flipped: Place): KernelDispatch {
    const { rows, batch } = this.#layout
    return this.step(
      'apply',
      {
        ...{ aOffset: a.offset, aStride: a.stride, aBatch: a.batch },
        ...{ bOffset: b.offset, bStride: b.stride, bBatch: b.batch },
        ...{ cOffset: to.offset, cStride: to.stride, cBatch: to.batch, columns: rows / 4 },
        ...{ dOffset: flipped.offset, dStride: flipped.stride, dBatch: flipped.batch },
      },
      [to.buffer, a.buffer, b.buffer, flipped.buffer],
      [Math.ceil(rows / 128), PANEL / 8, batch],
    )
  }

  /** The transpose of the `rows` x `columns` matrix a. */
  flip(a: Place, to: Place, rows: number, columns: number): KernelDispatch {
    return this.#blocks(a, rows, columns, to, { splits: 1, flags: FLIP })
  }

  /** One dispatch of a kernel other than `gram`: its output, its inputs, and its second output. */
  step(
    kernel: StepName,
    task: Task,
    [output, a, b, d]: readonly [GPUBuffer, GPUBuffer, GPUBuffer?, GPUBuffer?],
    grid: readonly [number, number, number],
  ): KernelDispatch {
    return {
      ...this.#kernels[kernel],
      record: packTask(task),
      output: { buffer: output },
      a: { buffer: a },
      b: { buffer: b ?? a },
      ...(d === undefined ? {} : { d: { buffer: d } }),
      grid,
      cost: 32 * grid[0] * grid[1] * grid[2] * 16,
    }
  }

  /** The place in which `gram` leaves the parts of a product with these columns and this depth. */
  parts(columns: number, depth: number): Place {
    const own = stride(columns)
    return { buffer: this.#buffers.parts, offset: 0, stride: own, batch: Math.ceil(depth / CHUNK) * PANEL * own }
  }

  #splits(parts: Place, depth: number): Task {
    return { splits: Math.ceil(depth / CHUNK), splitStride: PANEL * parts.stride }
  }

  #blocks(a: Place, rows: number, columns: number, to: Place, task: Task): KernelDispatch {
    return this.step(
      'combine',
      {
        ...{ aOffset: a.offset, aStride: a.stride, aBatch: a.batch },
        ...{ cOffset: to.offset, cStride: to.stride, cBatch: to.batch, columns: columns / 4 },
        ...task,
      },
      [to.buffer, a.buffer],
      [Math.ceil(columns / 128), Math.min(MAX_GROUPS, rows / 4), this.#layout.batch],
    )
  }
}
