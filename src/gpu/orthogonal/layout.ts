import { WeightInitError } from '../../core/errors.js'
import type { MatrixShape } from '../../linalg/shape.js'
import type { DeviceState } from '../device/device-state.js'
import { alignUp } from '../device/windows.js'

/** The number of columns that are made orthonormal together. It is built into the kernels. */
export const PANEL = 32
/** The number of vec4s in a row of a panel. */
export const PANEL_QUADS: number = PANEL / 4
/** The size of a uniform binding that every device supports, in bytes. */
export const WINDOW_BYTES = 65536
/** The number of rows of 32 floats that fit into such a binding. */
export const WINDOW_ROWS: number = WINDOW_BYTES / 4 / PANEL
/** The length of the sums that one workgroup computes. */
export const CHUNK = 256
/** The largest number of workgroups in one dimension of a dispatch. */
export const MAX_GROUPS = 65535
/** Scratch memory for one group of matrices, in bytes. A single large matrix may need more. */
const SCRATCH_BYTES = 256 * 2 ** 20

/** The sizes of a group of matrices. Its vectors are the columns of tall matrices and the rows of wide matrices. */
export interface OrthogonalLayout {
  readonly batch: number
  readonly length: number
  readonly count: number
  readonly wide: boolean
  /** Both are padded to whole panels. */
  readonly rows: number
  readonly columns: number
  /** The number of vec4s from one vector to the next, and from one row across all vectors to the next. */
  readonly lengthQuads: number
  readonly countQuads: number
  readonly matrixQuads: number
}

export function orthogonalLayout({ batch, rows, cols }: MatrixShape): OrthogonalLayout {
  const wide = rows < cols
  const length = wide ? cols : rows
  const count = wide ? rows : cols
  const padded = { rows: alignUp(length, PANEL), columns: alignUp(count, PANEL) }
  const lengthQuads = stride(padded.rows)
  const countQuads = stride(padded.columns)
  const matrixQuads = Math.max(padded.columns * lengthQuads, padded.rows * countQuads)
  return { batch, length, count, wide, ...padded, lengthQuads, countQuads, matrixQuads }
}

/** The number of vec4s from one row of `floats` to the next. A multiple of 512 bytes would map rows to the same cache lines. */
export function stride(floats: number): number {
  const quads = floats / 4
  return quads % 32 === 0 ? quads + 4 : quads
}

export const scratchNames = [
  'vectors',
  'transposed',
  'panel0',
  'panel1',
  'flipped',
  'products',
  'factor',
  'parts',
  'worst',
] as const
export type ScratchName = (typeof scratchNames)[number]

/** The sizes of a group's scratch buffers, in vec4s. */
export function scratchQuads(l: OrthogonalLayout): Record<ScratchName, number> {
  // A uniform binding is always a whole window long, even for the last rows.
  const window = WINDOW_ROWS * PANEL_QUADS
  const panel = l.batch * PANEL * l.lengthQuads
  const small = l.batch * PANEL * PANEL_QUADS
  return {
    vectors: l.batch * l.matrixQuads,
    transposed: l.batch * l.matrixQuads,
    panel0: panel,
    panel1: panel,
    flipped: panel + window,
    products: l.batch * l.columns * PANEL_QUADS + window,
    factor: small + window,
    parts:
      l.batch *
      PANEL *
      // A product of fewer columns may have a longer stride, by the padding that avoids multiples of 512 bytes.
      Math.max(Math.ceil(l.rows / CHUNK) * (l.countQuads + 4), Math.ceil(l.columns / CHUNK) * l.lengthQuads),
    worst: l.batch,
  }
}

/**
 * How many matrices are worked on at a time.
 * @param byteWidth of the elements that the matrices are read from or written to, as a group begins at a whole word
 * @throws WeightInitError `LIMIT_EXCEEDED` when a single one does not fit this device's bindings
 */
export function groupSize(state: DeviceState, shape: MatrixShape, byteWidth: number): number {
  const one = orthogonalLayout({ ...shape, batch: 1 })
  const sizes = Object.values(scratchQuads(one)).map((quads) => 16 * quads)
  const { maxStorageBufferBindingSize, maxBufferSize } = state.device.limits
  // The bindings of source and target begin at an aligned offset, up to 256 bytes before their matrices.
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize) - 256
  const largest = Math.max(...sizes)
  const bytes = shape.rows * shape.cols * byteWidth
  const step = Math.min(shape.batch, bytes % 4 === 0 ? 1 : bytes % 2 === 0 ? 2 : 4)
  if (step * largest > limit) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `orthogonal: a ${shape.rows} x ${shape.cols} matrix needs a scratch buffer of ${step * largest} bytes; this device ` +
        `binds ${limit}. Request the device with a larger requiredLimits.maxStorageBufferBindingSize, or use the CPU.`,
    )
  }
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const fitting = Math.min(
    Math.floor(limit / largest),
    Math.floor(SCRATCH_BYTES / total),
    Math.floor(MAX_GROUPS / Math.ceil(one.rows / CHUNK)),
  )
  return fitting >= shape.batch ? shape.batch : Math.max(step, Math.floor(fitting / step) * step)
}
