import { WeightInitError } from '../core/errors.js'

/** A batch of matrices, row-major, one after another. */
export interface MatrixShape {
  readonly batch: number
  readonly rows: number
  readonly cols: number
}

/** @throws WeightInitError `INVALID_SHAPE` unless batch, rows and cols are non-negative integers */
export function checkMatrixShape({ batch, rows, cols }: MatrixShape): void {
  for (const [name, value] of Object.entries({ batch, rows, cols })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `orthogonal: ${name} must be a non-negative integer, but found ${value}.`,
      )
    }
  }
}
