import { orthonormalize } from '../../src/linalg/qr.js'
import { boxMuller } from '../../src/random/normal.js'
import { testWords } from './gpu.js'

/** Standard normals for tests. */
export function testNormals(count: number, seed = 1): Float32Array {
  const words = testWords(2 * Math.ceil(count / 2), seed)
  const out = new Float32Array(words.length)
  for (let i = 0; i < words.length; i += 2) boxMuller(out.subarray(i, i + 2), words[i]!, words[i + 1]!)
  return out.subarray(0, count)
}

/** The orthonormal matrices that `values` should become, by the CPU's float64 method. */
export function expectedQ(values: Float32Array, rows: number, cols: number, batch = 1, gain = 1): Float32Array {
  const q = values.slice()
  orthonormalize(q, rows, cols, batch, gain)
  return q
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Number.NaN
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!)
    if (!(difference <= worst)) worst = difference
  }
  return worst
}

/**
 * Q of a plain float64 Householder QR with R's diagonal made positive: a second method, to judge the first by.
 * Row-major, rows >= cols. Also R's diagonal.
 */
export function householderQ(
  values: ArrayLike<number>,
  rows: number,
  cols: number,
): { q: Float64Array; r: Float64Array } {
  const a = Float64Array.from(values)
  const q = new Float64Array(rows * cols)
  const r = new Float64Array(cols)
  const reflectors: { v: Float64Array; beta: number }[] = []
  const apply = (m: Float64Array, j: number, { v, beta }: { v: Float64Array; beta: number }, from: number): void => {
    let s = 0
    for (let i = from; i < rows; i++) s += v[i]! * m[i * cols + j]!
    for (let i = from; i < rows; i++) m[i * cols + j]! -= beta * s * v[i]!
  }
  for (let k = 0; k < cols; k++) {
    const v = new Float64Array(rows)
    let square = 0
    for (let i = k; i < rows; i++) {
      v[i] = a[i * cols + k]!
      square += v[i]! * v[i]!
    }
    const sign = v[k]! < 0 ? -1 : 1
    v[k]! += sign * Math.sqrt(square)
    let vv = 0
    for (let i = k; i < rows; i++) vv += v[i]! * v[i]!
    const reflector = { v, beta: vv === 0 ? 0 : 2 / vv }
    for (let j = k; j < cols; j++) apply(a, j, reflector, k)
    reflectors.push(reflector)
    r[k] = a[k * cols + k]!
  }
  for (let j = 0; j < cols; j++) {
    q[j * cols + j] = 1
    for (let k = j; k >= 0; k--) apply(q, j, reflectors[k]!, k)
    if (r[j]! < 0) for (let i = 0; i < rows; i++) q[i * cols + j]! *= -1
    r[j] = Math.abs(r[j]!)
  }
  return { q, r }
}
