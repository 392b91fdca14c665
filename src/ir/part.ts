/**
 * Where a rectangular part lies in its row-major tensor. `firstElement` is the part's first element, and `axes` describe its
 * axes, innermost first. The innermost axis has stride 1, so it is a contiguous run. All numbers are below 2^53, so they are
 * exact.
 */
export interface PartGeometry {
  readonly firstElement: number
  readonly axes: readonly PartAxis[]
}

/** One axis of a part after merging: `length` steps of `stride` elements of the full tensor. */
export interface PartAxis {
  readonly length: number
  readonly stride: number
}

/** A rectangular part of a parameter: the elements with start <= index < end on every axis of `fullShape`. */
export interface ParameterPart {
  readonly fullShape: readonly number[]
  readonly start: readonly number[]
  readonly end: readonly number[]
}

/**
 * The matrices of an orthogonal distribution that are made as a whole, in scratch memory, because a part of them is needed.
 * They are made one after another or in groups.
 */
export interface WholeMatrices {
  /** The index of the first matrix that overlaps the part, and the count of matrices from there to the last one that does. */
  readonly firstMatrix: number
  readonly matrixCount: number
  readonly rows: number
  readonly columns: number
  /** The bytes of one matrix in float32. */
  readonly byteLength: number
}
