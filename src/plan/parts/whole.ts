import type { Distribution } from '../../ir/distribution.js'
import type { ParameterPart, WholeMatrices } from '../../ir/part.js'
import { elementIndex, partGeometry } from './geometry.js'

/** What has to be made whole for a part; undefined for a distribution whose elements are made one by one. */
export function wholeMatrices(
  distribution: Distribution,
  { fullShape, start, end }: ParameterPart,
): WholeMatrices | undefined {
  if (distribution.kind !== 'orthogonal') return undefined
  const { rows, columns, field } = distribution
  const geometry = partGeometry(fullShape, start, end)
  const elementCount = end.reduce((product, stop, axis) => product * (stop - start[axis]!), 1)
  const matrixOf = (local: number): number =>
    field > 1 ? 0 : Math.floor(elementIndex(geometry, local) / (rows * columns))
  const firstMatrix = matrixOf(0)
  const matrixCount = matrixOf(elementCount - 1) + 1 - firstMatrix
  return { firstMatrix, matrixCount, rows, columns, byteLength: 4 * rows * columns }
}
