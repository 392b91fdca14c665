import type { KernelDispatch } from '../pipelines/kernels.js'
import type { Kernels } from './kernels.js'
import { CHUNK, type OrthogonalLayout, PANEL, PANEL_QUADS, type ScratchName } from './layout.js'
import { PanelKernels, type Place } from './panel-kernels.js'
import { FIRST, FLIP, INDEPENDENT, ORTHONORMAL, PROJECTED } from './task.js'

/**
 * The largest ratio of the squared length that a projection removed from a vector to the squared length that it left. The
 * remaining component in the span of the finished vectors is the rounding error times the square root of this ratio. The
 * first limit is for one projection, the other one for the second of two projections.
 */
const ONCE_IS_ENOUGH = 8
const TWICE_IS_ENOUGH = 0.01

const limitBits = (limit: number): number => new Uint32Array(Float32Array.of(limit).buffer)[0]!

/**
 * The factorisation of a group of matrices as dispatches.
 *
 * The method is block Gram-Schmidt. It takes panels of 32 vectors in order, projects each panel out of the span of the
 * finished vectors, and makes it orthonormal by a round of Cholesky QR. The input is normals, so one projection and one
 * round are enough while many dimensions are left. Where few are left, at the end of a square matrix, a panel is projected
 * and made orthonormal a second time; twice is always enough (Giraud, Langou, Rozloznik 2005). With very few dimensions left
 * a panel is far from orthonormal, and needs additional rounds. The kernel orthogonal/cholesky measures whether the steps
 * were enough. The diagonal of R is positive, because every factor is upper triangular with a positive diagonal. The
 * finished vectors are stored in both orientations, so that every matrix product has the form transpose(32 columns) * b.
 */
export class OrthogonalSteps {
  readonly #layout: OrthogonalLayout
  readonly #buffers: Readonly<Record<ScratchName, GPUBuffer>>
  readonly #panels: PanelKernels

  constructor(layout: OrthogonalLayout, buffers: Readonly<Record<ScratchName, GPUBuffer>>, kernels: Kernels) {
    this.#layout = layout
    this.#buffers = buffers
    this.#panels = new PanelKernels(layout, buffers, kernels)
  }

  /**
   * Replaces the vectors by orthonormal ones, and leaves in `worst` what was measured on the way.
   * @param careful whether every panel gets the largest number of rounds, whatever its place
   */
  factorise(careful: boolean): KernelDispatch[] {
    const { columns, length } = this.#layout
    const work: KernelDispatch[] = []
    for (let first = 0; first < columns; first += PANEL) {
      const left = length - first
      const narrow = careful || left < 4 * PANEL
      const twice = narrow || left < length / 4
      // The first panel is not projected into other memory, and a kernel cannot write the buffer that it reads.
      const rounds = narrow ? 3 : twice || left < 8 * PANEL || first === 0 ? 2 : 1
      work.push(...this.#panelSteps(first, twice, rounds))
    }
    return work
  }

  /** @param twice whether there is a second projection, before the last round */
  #panelSteps(first: number, twice: boolean, rounds: 1 | 2 | 3): KernelDispatch[] {
    const { rows } = this.#layout
    const own = this.#panels.vectors(first)
    const [p0, p1] = [this.#panels.panel(this.#buffers.panel0), this.#panels.panel(this.#buffers.panel1)]
    const work: KernelDispatch[] = [this.#panels.flip(own, this.#panels.flipped(), PANEL, rows)]
    let now = own
    const next = (): Place => (now === p0 ? p1 : p0)
    const project = (): void => {
      const to = next()
      work.push(
        ...this.#products(first),
        ...this.#panels.gram(
          this.#panels.small('products', this.#layout.columns),
          first,
          this.#panels.vectors(0),
          rows,
        ),
        this.#panels.subtract(first, now, to, this.#panels.flipped()),
      )
      now = to
    }
    const normalize = (to: Place, flipped: Place, check: number): void => {
      work.push(...this.#factorSteps(first, check, twice ? TWICE_IS_ENOUGH : ONCE_IS_ENOUGH))
      work.push(this.#panels.apply(this.#panels.small('factor', PANEL), now, to, flipped))
      now = to
    }
    const projected = first > 0 ? PROJECTED : 0
    if (first > 0) project()
    for (let round = 1; round < rounds; round++)
      normalize(next(), this.#panels.flipped(), twice || round > 1 ? 0 : projected)
    if (twice && first > 0) project()
    const finished = { ...this.#panels.transposed(), offset: first / 4 }
    const look = rounds > 1 ? ORTHONORMAL : INDEPENDENT
    normalize(own, finished, look | (twice || rounds === 1 ? projected : 0))
    return work
  }

  /** Computes the factor that makes the panel in `flipped` orthonormal, and measures the panel. */
  #factorSteps(first: number, check: number, limit: number): KernelDispatch[] {
    const { batch, columns, rows, count } = this.#layout
    const { worst, products, parts } = this.#buffers
    const gram = this.#panels.parts(PANEL, rows)
    const factor = this.#panels.small('factor', PANEL)
    const task = {
      ...{ aStride: gram.stride, aBatch: gram.batch, bBatch: columns * PANEL_QUADS },
      ...{ cStride: factor.stride, cBatch: factor.batch, columns: PANEL, depth: first },
      ...{ splits: Math.ceil(rows / CHUNK), splitStride: PANEL * gram.stride },
      ...{ rows: Math.min(PANEL, count - first), chunk: limitBits(limit) },
      flags: check | (check !== 0 && first === 0 ? FIRST : 0),
    }
    return [
      ...this.#panels.gram(this.#panels.flipped(), rows, this.#panels.flipped(), PANEL),
      this.#panels.step('cholesky', task, [factor.buffer, parts, products, worst], [1, 1, batch]),
    ]
  }

  /** Gives vectors that vanished a new direction, so that the factorisation can be repeated. */
  replaceDependentColumns(): KernelDispatch {
    const { batch, length, count, lengthQuads, matrixQuads } = this.#layout
    return this.#panels.step(
      'replaceDependentColumns',
      { cStride: lengthQuads, cBatch: matrixQuads, columns: lengthQuads, depth: length },
      [this.#buffers.vectors, this.#buffers.parts],
      [count, 1, batch],
    )
  }

  /** Measures how far the vectors are from orthonormal, and leaves the result in `worst`. */
  measure(): KernelDispatch[] {
    const { batch, columns, rows, count } = this.#layout
    const work: KernelDispatch[] = [
      this.#panels.flip(this.#panels.vectors(0), this.#panels.transposed(), columns, rows),
    ]
    for (let first = 0; first < columns; first += PANEL) {
      const depth = first + PANEL
      work.push(
        this.#panels.flip(this.#panels.vectors(first), this.#panels.flipped(), PANEL, rows),
        ...this.#products(depth),
        this.#panels.step(
          'orthogonalityError',
          { aBatch: columns * PANEL_QUADS, rows: first, depth, chunk: count, flags: first === 0 ? FIRST : 0 },
          [this.#buffers.worst, this.#buffers.products],
          [1, 1, batch],
        ),
      )
    }
    return work
  }

  /** Computes the scalar products of the panel in `flipped` with the first `depth` vectors, one row each, in `products`. */
  #products(depth: number): KernelDispatch[] {
    const { rows, columns } = this.#layout
    return [
      ...this.#panels.gram(this.#panels.flipped(), rows, this.#panels.transposed(), depth),
      this.#panels.combine(PANEL, depth, rows, this.#panels.small('products', columns), FLIP),
    ]
  }
}
