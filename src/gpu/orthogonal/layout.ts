import { WeightInitError } from '../../core/errors.js'
import type { MatrixShape } from '../../linalg/shape.js'
import type { DeviceState } from '../device/device-state.js'
import { alignUp } from '../device/windows.js'

/** Columns that are made orthonormal together. The kernels have it built in. */
export const PANEL = 32
/** vec4s of a panel's row. */
export const PANEL_QUADS: number = PANEL / 4
/** A uniform binding that every device has. */
export const WINDOW_BYTES = 65536
/** Rows of a panel's 32 floats that it can show. */
export const WINDOW_ROWS: number = WINDOW_BYTES / 4 / PANEL
/** Length of the sums that one workgroup makes. */
export const CHUNK = 256
/** A dispatch may have this many workgroups a dimension. */
export const MAX_GROUPS = 65535
/** Scratch memory for the matrices that are worked on at a time; one matrix may need more. */
const SCRATCH_BYTES = 256 * 2 ** 20

/** Sizes of a group of matrices, as vectors that become orthonormal: tall matrices' columns, wide matrices' rows. */
export interface OrthogonalLayout {
  readonly batch: number
  readonly length: number
  readonly count: number
  readonly wide: boolean
  /** Padded to whole panels. */
  readonly rows: number
  readonly columns: number
  /** vec4s from one vector to the next, and from one row across all vectors to the next. */
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

/** vec4s from one row of `floats` to the next: no multiple of 512 bytes, lest rows crowd into the same lines of a cache. */
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

/** Scratch buffers of a group, in vec4s. */
export function scratchQuads(l: OrthogonalLayout): Record<ScratchName, number> {
  // A uniform binding shows a whole window, also of the last rows.
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
      // The strides of columns that are fewer may be longer than those of all by the step that keeps them apart.
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
  // Bindings of source and target begin at an aligned offset before their matrices.
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
