import type { DeviceState } from '../device/device-state.js'
import type { PipelineKey } from '../shaders/pipeline-key.js'
import { pipeline, productLanes, sharesLoads } from '../shaders/pipelines.js'
import { type Dispatch, FIRST, FLIP, INDEPENDENT, ORTHONORMAL, PROJECTED, packTask, type Task } from './linalg.js'
import {
  CHUNK,
  MAX_GROUPS,
  type OrthogonalLayout,
  PANEL,
  PANEL_QUADS,
  type ScratchName,
  stride,
  WINDOW_ROWS,
} from './orthogonal-layout.js'

type Kernel = 'gram' | 'apply' | 'combine' | 'subtract' | 'cholesky' | 'orthogonalityError' | 'replaceDependentColumns'

type KernelKey = PipelineKey & { readonly layout: Dispatch['layout'] }

const products: Readonly<Record<'window' | 'shared', KernelKey>> = {
  window: { entry: 'orthogonal/gram', slots: { rows: 'orthogonal/rows_window' }, layout: 'linalg window' },
  shared: { entry: 'orthogonal/gram', slots: { rows: 'orthogonal/rows_subgroup' }, layout: 'linalg' },
}
const kernels: Readonly<Record<Exclude<Kernel, 'gram'>, KernelKey>> = {
  apply: { entry: 'orthogonal/apply', layout: 'linalg twice' },
  combine: { entry: 'orthogonal/combine', layout: 'linalg' },
  subtract: { entry: 'orthogonal/subtract', layout: 'linalg twice' },
  cholesky: { entry: 'orthogonal/cholesky', layout: 'linalg twice' },
  orthogonalityError: { entry: 'orthogonal/orthogonality_error', layout: 'linalg' },
  replaceDependentColumns: { entry: 'orthogonal/replace_dependent_columns', layout: 'linalg' },
}

export interface Kernels {
  readonly get: (kernel: Kernel) => GPUComputePipeline | undefined
  /** Invocations in a workgroup of `gram`. */
  readonly lanes: number
  /** Whether `gram` reads its left operand through a uniform window, not whole. */
  readonly window: boolean
}

export async function orthogonalKernels(state: DeviceState): Promise<Kernels> {
  const window = !sharesLoads(state)
  const keys = { ...kernels, gram: products[window ? 'window' : 'shared'] }
  const compiled = new Map<string, GPUComputePipeline>(
    await Promise.all(Object.entries(keys).map(async ([name, key]) => [name, await pipeline(state, key)] as const)),
  )
  return { get: (kernel) => compiled.get(kernel), lanes: productLanes(state), window }
}

/** A matrix in a scratch buffer, offsets and strides in vec4s. */
interface Place {
  readonly buffer: GPUBuffer
  readonly offset: number
  readonly stride: number
  readonly batch: number
}

/**
 * Squared length that the projection took off a vector, as a multiple of what it left, up to which it may stand: the rest
 * in the finished vectors' span is rounding times the root of this. And what the second may still take.
 */
const ONCE_IS_ENOUGH = 8
const TWICE_IS_ENOUGH = 0.01

const limitBits = (limit: number): number => new Uint32Array(Float32Array.of(limit).buffer)[0]!

/**
 * The factorisation of a group of matrices as dispatches.
 *
 * Panels of 32 vectors are taken in order. Each is projected out of the finished ones' span and made orthonormal by a round
 * of Cholesky QR: block Gram-Schmidt. For normals one projection and one round are enough while many dimensions are left;
 * where few are, at the end of a square matrix, a panel is projected and made orthonormal again, and then twice is enough
 * (Giraud, Langou, Rozloznik 2005). Panels in few dimensions are far from orthonormal, which takes rounds more. Whether it
 * was enough is measured on the way (linalg/cholesky). R's diagonal is positive, since every factor taken off is upper
 * triangular with a positive diagonal. The finished vectors are kept both ways round, so that every product of matrices is
 * transpose(32 columns) * b.
 */
export class OrthogonalSteps {
  readonly #layout: OrthogonalLayout
  readonly #buffers: Readonly<Record<ScratchName, GPUBuffer>>
  readonly #kernels: Kernels

  constructor(layout: OrthogonalLayout, buffers: Readonly<Record<ScratchName, GPUBuffer>>, pipelines: Kernels) {
    this.#layout = layout
    this.#buffers = buffers
    this.#kernels = pipelines
  }

  /**
   * Replaces the vectors by orthonormal ones and leaves in `worst` what it met.
   * @param careful takes the most rounds for every panel, whatever its place
   */
  factorise(careful: boolean): Dispatch[] {
    const { columns, length } = this.#layout
    const work: Dispatch[] = []
    for (let first = 0; first < columns; first += PANEL) {
      const left = length - first
      const narrow = careful || left < 4 * PANEL
      const twice = narrow || left < length / 4
      // The first panel is not projected to other memory, and a kernel cannot read what it writes.
      const rounds = narrow ? 3 : twice || left < 8 * PANEL || first === 0 ? 2 : 1
      work.push(...this.#panelSteps(first, twice, rounds))
    }
    return work
  }

  /** @param twice a second projection goes before the last of the rounds */
  #panelSteps(first: number, twice: boolean, rounds: 1 | 2 | 3): Dispatch[] {
    const { rows } = this.#layout
    const own = this.#vectors(first)
    const [p0, p1] = [this.#panel(this.#buffers.panel0), this.#panel(this.#buffers.panel1)]
    const work: Dispatch[] = [this.#flip(own, this.#flipped(), PANEL, rows)]
    let now = own
    const next = (): Place => (now === p0 ? p1 : p0)
    const project = (): void => {
      const to = next()
      work.push(
        ...this.#products(first),
        ...this.#gram(this.#small('products', this.#layout.columns), first, this.#vectors(0), rows),
        this.#subtract(first, now, to, this.#flipped()),
      )
      now = to
    }
    const normalize = (to: Place, flipped: Place, check: number): void => {
      work.push(...this.#factorSteps(first, check, twice ? TWICE_IS_ENOUGH : ONCE_IS_ENOUGH))
      work.push(this.#apply(this.#small('factor', PANEL), now, to, flipped))
      now = to
    }
    const projected = first > 0 ? PROJECTED : 0
    if (first > 0) project()
    for (let round = 1; round < rounds; round++) normalize(next(), this.#flipped(), twice || round > 1 ? 0 : projected)
    if (twice && first > 0) project()
    const finished = { ...this.#transposed(), offset: first / 4 }
    const look = rounds > 1 ? ORTHONORMAL : INDEPENDENT
    normalize(own, finished, look | (twice || rounds === 1 ? projected : 0))
    return work
  }

  /** The factor that makes the panel in `flipped` orthonormal, and a look at the panel. */
  #factorSteps(first: number, check: number, limit: number): Dispatch[] {
    const { batch, columns, rows, count } = this.#layout
    const { worst, products, parts } = this.#buffers
    const gram = this.#parts(PANEL, rows)
    const factor = this.#small('factor', PANEL)
    const task = {
      ...{ aStride: gram.stride, aBatch: gram.batch, bBatch: columns * PANEL_QUADS },
      ...{ cStride: factor.stride, cBatch: factor.batch, columns: PANEL, depth: first },
      ...{ splits: Math.ceil(rows / CHUNK), splitStride: PANEL * gram.stride },
      ...{ rows: Math.min(PANEL, count - first), chunk: limitBits(limit) },
      flags: check | (check !== 0 && first === 0 ? FIRST : 0),
    }
    return [
      ...this.#gram(this.#flipped(), rows, this.#flipped(), PANEL),
      this.#step('cholesky', task, [factor.buffer, parts, products, worst], [1, 1, batch]),
    ]
  }

  /** Gives vectors that vanished a direction, for another factorisation. */
  replaceDependentColumns(): Dispatch {
    const { batch, length, count, lengthQuads, matrixQuads } = this.#layout
    return this.#step(
      'replaceDependentColumns',
      { cStride: lengthQuads, cBatch: matrixQuads, columns: lengthQuads, depth: length },
      [this.#buffers.vectors, this.#buffers.parts],
      [count, 1, batch],
    )
  }

  /** Leaves in `worst` how far the vectors are from orthonormal. */
  measure(): Dispatch[] {
    const { batch, columns, rows, count } = this.#layout
    const work: Dispatch[] = [this.#flip(this.#vectors(0), this.#transposed(), columns, rows)]
    for (let first = 0; first < columns; first += PANEL) {
      const depth = first + PANEL
      work.push(
        this.#flip(this.#vectors(first), this.#flipped(), PANEL, rows),
        ...this.#products(depth),
        this.#step(
          'orthogonalityError',
          { aBatch: columns * PANEL_QUADS, rows: first, depth, chunk: count, flags: first === 0 ? FIRST : 0 },
          [this.#buffers.worst, this.#buffers.products],
          [1, 1, batch],
        ),
      )
    }
    return work
  }

  /** Scalar products of the panel in `flipped` with the first `depth` vectors, one row each, to `products`. */
  #products(depth: number): Dispatch[] {
    const { rows, columns } = this.#layout
    return [
      ...this.#gram(this.#flipped(), rows, this.#transposed(), depth),
      this.#combine(PANEL, depth, rows, this.#small('products', columns), FLIP),
    ]
  }

  #vectors(first: number): Place {
    const { lengthQuads, matrixQuads } = this.#layout
    return { buffer: this.#buffers.vectors, offset: first * lengthQuads, stride: lengthQuads, batch: matrixQuads }
  }

  #transposed(): Place {
    const { countQuads, matrixQuads } = this.#layout
    return { buffer: this.#buffers.transposed, offset: 0, stride: countQuads, batch: matrixQuads }
  }

  #panel(buffer: GPUBuffer): Place {
    const { lengthQuads } = this.#layout
    return { buffer, offset: 0, stride: lengthQuads, batch: PANEL * lengthQuads }
  }

  #flipped(): Place {
    return this.#small('flipped', this.#layout.rows)
  }

  /** Rows of 32. */
  #small(name: ScratchName, rows: number): Place {
    return { buffer: this.#buffers[name], offset: 0, stride: PANEL_QUADS, batch: rows * PANEL_QUADS }
  }

  /**
   * transpose(a) * b for a of depth x 32 and b of depth x columns, as parts.
   */
  #gram(a: Place, depth: number, b: Place, columns: number): Dispatch[] {
    const { batch } = this.#layout
    const quads = columns / 4
    const c = this.#parts(columns, depth)
    const size = PANEL * c.stride
    const work: Dispatch[] = []
    const { lanes, window } = this.#kernels
    const together = window ? Math.max(1, Math.floor(WINDOW_ROWS / (a.batch / PANEL_QUADS))) : batch
    for (let matrix = 0; matrix < batch; matrix += together) {
      const matrices = Math.min(together, batch - matrix)
      for (let row = 0; row < depth; row += window ? WINDOW_ROWS : depth) {
        const rows = window ? Math.min(WINDOW_ROWS, depth - row) : depth
        const splits = Math.ceil(rows / CHUNK)
        // A uniform binding has to begin where the rows do.
        const binding = { offset: 16 * (matrix * a.batch + row * PANEL_QUADS), size: 16 * WINDOW_ROWS * PANEL_QUADS }
        work.push({
          pipeline: this.#kernels.get('gram')!,
          layout: products[window ? 'window' : 'shared'].layout,
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

  /** Adds up the parts of a product of `rows` x `columns` that had this depth. */
  #combine(rows: number, columns: number, depth: number, to: Place, flags: number): Dispatch {
    const parts = this.#parts(columns, depth)
    return this.#blocks(parts, rows, columns, to, { ...this.#splits(parts, depth), flags })
  }

  /** `from` less the parts of a product of a panel's shape that had this depth, both ways round. */
  #subtract(depth: number, from: Place, to: Place, flipped: Place): Dispatch {
    const { rows, batch } = this.#layout
    const parts = this.#parts(rows, depth)
    return this.#step(
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

  /** transpose(a) * b for a of 32 x 32 and b of a panel's shape, both ways round. */
  #apply(a: Place, b: Place, to: Place, flipped: Place): Dispatch {
    const { rows, batch } = this.#layout
    return this.#step(
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

  #splits(parts: Place, depth: number): Task {
    return { splits: Math.ceil(depth / CHUNK), splitStride: PANEL * parts.stride }
  }

  #parts(columns: number, depth: number): Place {
    const own = stride(columns)
    return { buffer: this.#buffers.parts, offset: 0, stride: own, batch: Math.ceil(depth / CHUNK) * PANEL * own }
  }

  #flip(a: Place, to: Place, rows: number, columns: number): Dispatch {
    return this.#blocks(a, rows, columns, to, { splits: 1, flags: FLIP })
  }

  #blocks(a: Place, rows: number, columns: number, to: Place, task: Task): Dispatch {
    return this.#step(
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

  #step(
    kernel: Exclude<Kernel, 'gram'>,
    task: Task,
    [output, a, b, d]: readonly [GPUBuffer, GPUBuffer, GPUBuffer?, GPUBuffer?],
    grid: readonly [number, number, number],
  ): Dispatch {
    return {
      pipeline: this.#kernels.get(kernel)!,
      layout: kernels[kernel].layout,
      record: packTask(task),
      output: { buffer: output },
      a: { buffer: a },
      b: { buffer: b ?? a },
      ...(d === undefined ? {} : { d: { buffer: d } }),
      grid,
      cost: 32 * grid[0] * grid[1] * grid[2] * 16,
    }
  }
}
