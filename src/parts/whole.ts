import type { Distribution } from '../laws/types.js'
import { elementIndex, partGeometry } from './geometry.js'
import type { ParameterPart } from './types.js'

/**
 * The matrices of an orthogonal law that are made whole so that a part of them can be kept: one after another or in groups,
 * in scratch memory.
 */
export interface WholeMatrices {
  /** Number of the first within the tensor, and how many to the last that the part touches. */
  readonly firstMatrix: number
  readonly matrixCount: number
  readonly rows: number
  readonly columns: number
  /** Float32 bytes of one. */
  readonly byteLength: number
}

/** What has to be made whole for a part; undefined for a law whose elements are made one by one. */
export function wholeMatrices(law: Distribution, { fullShape, start, end }: ParameterPart): WholeMatrices | undefined {
  if (law.kind !== 'orthogonal') return undefined
  const { rows, columns, field } = law
  const geometry = partGeometry(fullShape, start, end)
  const elementCount = end.reduce((product, stop, axis) => product * (stop - start[axis]!), 1)
  const matrixOf = (local: number): number =>
    field > 1 ? 0 : Math.floor(elementIndex(geometry, local) / (rows * columns))
  const firstMatrix = matrixOf(0)
  const matrixCount = matrixOf(elementCount - 1) + 1 - firstMatrix
  return { firstMatrix, matrixCount, rows, columns, byteLength: 4 * rows * columns }
}
