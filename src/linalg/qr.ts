// CPU reference of src/gpu/orthogonal/orthogonalize.ts. It computes the same Q in float64, so its values agree with the
// GPU's within rounding, not bit for bit.
import { checkMatrixShape } from './shape.js'

/** How many vectors are projected out of a later one in one pass. That reads five arrays at a time, which CPUs do well. */
const PANEL = 4
/** A vector is projected a second time if less than this fraction of its length is left after the first projection. */
const CANCELLED = 1e-3
/** If less than this fraction of the length is left, the rest is only rounding error. */
const DEPENDENT = 1e-12

/**
 * Replaces each matrix of `values` (row-major, one after another) by gain times Q, where Q R is its QR factorisation with
 * a positive diagonal of R. PyTorch's orthogonal_ does the same with normals. A wide matrix (rows < cols) is transposed
 * first, and its Q is transposed back.
 *
 * The method is Gram-Schmidt with reorthogonalisation in float64, so max |Q^T Q - I| comes only from rounding the result to
 * float32. A column that depends on earlier columns is replaced by a fixed pseudo-random direction orthogonal to them.
 * Input that is not finite gives NaN. The values agree with the GPU's within 2e-5 unless the matrix is close to singular.
 * Same bits on every CPU.
 *
 * @returns how close to singular they are: the largest value of (length of a vector) / (what is left of it after the projection);
 *   1 for orthogonal vectors
 * @throws WeightInitError `INVALID_SHAPE` unless batch, rows and cols are non-negative integers
 */
export function orthonormalize(values: Float32Array, rows: number, cols: number, batch = 1, gain = 1): number {
  checkMatrixShape({ batch, rows, cols })
  if (batch * rows * cols === 0) return 1
  let cancellation = 1
  const wide = rows < cols
  const length = wide ? cols : rows
  const count = wide ? rows : cols
  const vectors = new Float64Array(length * count)
  for (let matrix = 0; matrix < batch; matrix++) {
    const own = values.subarray(matrix * rows * cols, (matrix + 1) * rows * cols)
    if (wide) vectors.set(own)
    else transpose(own, vectors, length, count)
    cancellation = Math.max(cancellation, orthonormalizeVectors(vectors, length, count))
    const scale = Math.fround(gain)
    // Round to float32 first and multiply by the gain after that, as the GPU does.
    if (wide) for (let i = 0; i < own.length; i++) own[i] = Math.fround(vectors[i]!) * scale
    else {
      for (let j = 0; j < count; j++) {
        for (let i = 0; i < length; i++) own[i * count + j] = Math.fround(vectors[j * length + i]!) * scale
      }
    }
  }
  return cancellation
}

/**
 * max |Q^T Q / gain^2 - I| over the matrices Q of `values`, in float64; for a wide matrix (rows < cols), Q Q^T takes the
 * place of Q^T Q. NaN if an element is not finite; 0 if the gain is 0 or there are no elements.
 *
 * @throws WeightInitError `INVALID_SHAPE` unless batch, rows and cols are non-negative integers
 */
export function orthonormalityError(values: Float32Array, rows: number, cols: number, batch = 1, gain = 1): number {
  let largest = 0
  for (const error of orthonormalitySteps(values, rows, cols, batch, gain)) largest = error
  return largest
}

/** The same in steps of a few vectors, each of which gives the largest error so far. */
export function* orthonormalitySteps(
  values: Float32Array,
  rows: number,
  cols: number,
  batch = 1,
  gain = 1,
): Generator<number, void> {
  checkMatrixShape({ batch, rows, cols })
  if (batch * rows * cols === 0 || gain === 0) return
  const wide = rows < cols
  const length = wide ? cols : rows
  const count = wide ? rows : cols
  const vectors = new Float64Array(length * count)
  const dots = new Float64Array(PANEL)
  let orthogonalityError = 0
  for (let matrix = 0; matrix < batch; matrix++) {
    const own = values.subarray(matrix * rows * cols, (matrix + 1) * rows * cols)
    if (wide) vectors.set(own)
    else transpose(own, vectors, length, count)
    for (let i = 0; i < vectors.length; i++) vectors[i]! /= gain
    for (let first = 0; first < count; first += PANEL) {
      const size = Math.min(PANEL, count - first)
      for (let j = first; j < count; j++) {
        dot(vectors, length, first, size, j, dots)
        for (let p = 0; p < size; p++) {
          const error = Math.abs(dots[p]! - (first + p === j ? 1 : 0))
          if (!(error <= orthogonalityError)) orthogonalityError = error
        }
      }
      yield orthogonalityError
      if (Number.isNaN(orthogonalityError)) return
    }
  }
}

function transpose(from: Float32Array, to: Float64Array, rows: number, cols: number): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) to[j * rows + i] = from[i * cols + j]!
}

function orthonormalizeVectors(vectors: Float64Array, length: number, count: number): number {
  let cancellation = 1
  const before = new Float64Array(count)
  const dots = new Float64Array(PANEL)
  for (let j = 0; j < count; j++) before[j] = norm(vectors, length, j)
  for (let first = 0; first < count; first += PANEL) {
    const size = Math.min(PANEL, count - first)
    for (let j = first; j < first + size; j++) {
      if (j > first) project(vectors, length, first, j - first, j, dots)
      cancellation = Math.max(cancellation, before[j]! / finish(vectors, length, j, before[j]!, dots))
    }
    for (let j = first + size; j < count; j++) project(vectors, length, first, size, j, dots)
  }
  return cancellation
}

/** Makes vector j, already projected, a unit vector orthogonal to the ones before it. Gives the length that was left of it. */
function finish(vectors: Float64Array, length: number, j: number, before: number, dots: Float64Array): number {
  const again = (): number => {
    for (let first = 0; first < j; first += PANEL) project(vectors, length, first, Math.min(PANEL, j - first), j, dots)
    return norm(vectors, length, j)
  }
  let left = norm(vectors, length, j)
  if (left < CANCELLED * before) left = again()
  const found = left
  for (let attempt = 0; left <= DEPENDENT * before && attempt < 8; attempt++) {
    for (let i = 0; i < length; i++) vectors[j * length + i] = noise(i, j + attempt * 0x10001)
    again()
    left = again()
    before = Math.sqrt(length)
  }
  for (let i = 0; i < length; i++) vectors[j * length + i]! /= left
  return found
}

/** The pseudo-random direction of shaders/orthogonal/replace_dependent_columns.wgsl. */
function noise(row: number, column: number): number {
  let x = (Math.imul(row, 0x9e3779b1) + Math.imul(column, 0x85ebca77) + 0x27d4eb2f) | 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (((x ^ (x >>> 16)) >>> 8) - 8388607.5) * 2 ** -23
}

function norm(vectors: Float64Array, length: number, j: number): number {
  const at = j * length
  let sum = 0
  for (let i = at; i < at + length; i++) sum += vectors[i]! * vectors[i]!
  return Math.sqrt(sum)
}

/** The scalar products of vector j with `size` vectors, beginning with vector `first`, in one pass. */
function dot(v: Float64Array, length: number, first: number, size: number, j: number, out: Float64Array): void {
  const at = j * length
  const p0 = first * length
  const p1 = size > 1 ? p0 + length : p0
  const p2 = size > 2 ? p1 + length : p0
  const p3 = size > 3 ? p2 + length : p0
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  for (let i = 0; i < length; i++) {
    const x = v[at + i]!
    s0 += v[p0 + i]! * x
    s1 += v[p1 + i]! * x
    s2 += v[p2 + i]! * x
    s3 += v[p3 + i]! * x
  }
  out[0] = s0
  out[1] = size > 1 ? s1 : 0
  out[2] = size > 2 ? s2 : 0
  out[3] = size > 3 ? s3 : 0
}

/** Projects `size` orthonormal vectors, beginning with vector `first`, out of vector j. */
function project(v: Float64Array, length: number, first: number, size: number, j: number, dots: Float64Array): void {
  dot(v, length, first, size, j, dots)
  const at = j * length
  const p0 = first * length
  const p1 = size > 1 ? p0 + length : p0
  const p2 = size > 2 ? p1 + length : p0
  const p3 = size > 3 ? p2 + length : p0
  const s0 = dots[0]!
  const s1 = dots[1]!
  const s2 = dots[2]!
  const s3 = dots[3]!
  for (let i = 0; i < length; i++) {
    v[at + i]! -= s0 * v[p0 + i]! + s1 * v[p1 + i]! + s2 * v[p2 + i]! + s3 * v[p3 + i]!
  }
}
