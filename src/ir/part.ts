/**
 * Where a rectangular part lies in its row-major tensor: `firstElement` is the part's first element, `axes` walk it, innermost
 * first. The innermost axis has stride 1: it is a run of neighbours. Everything is below 2^53, hence exact.
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

/** A rectangular part of a parameter: elements start <= index < end on every axis of `fullShape`. */
export interface ParameterPart {
  readonly fullShape: readonly number[]
  readonly start: readonly number[]
  readonly end: readonly number[]
}

/**
 * The matrices of an orthogonal distribution that are made whole so that a part of them can be kept: one after another or in groups,
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
