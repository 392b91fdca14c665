import { bitPatterns, decodeFloat32 } from './decode.js'
import { byteWidth, type DType, isFloatDType } from './dtype.js'

export interface ComparisonResult {
  readonly comparedCount: number
  readonly mismatchCount: number
  readonly firstMismatch?: number
  readonly largestUlpDistance?: number
}

/** Counts the elements of a parameter that differ in any bit from what they should be. */
export class Comparison {
  readonly #dtype: DType
  #comparedCount = 0
  #mismatchCount = 0
  #firstMismatch: number | undefined
  #largestUlpDistance = 0

  constructor(dtype: DType) {
    this.#dtype = dtype
  }

  /** @param first index of the first element of both */
  add(actual: Uint8Array, expected: Uint8Array, first: number): void {
    const width = byteWidth(this.#dtype)
    const count = expected.byteLength / width
    this.#comparedCount += count
    if (sameBytes(actual, expected)) return
    const distance = ulpDistance(actual, expected, this.#dtype)
    for (let i = 0; i < count; i++) {
      for (let byte = i * width; byte < (i + 1) * width; byte++) {
        if (actual[byte] === expected[byte]) continue
        this.#mismatchCount++
        this.#firstMismatch ??= first + i
        this.#largestUlpDistance = Math.max(this.#largestUlpDistance, distance(i))
        break
      }
    }
  }

  result(): ComparisonResult {
    const found =
      this.#firstMismatch === undefined
        ? {}
        : { firstMismatch: this.#firstMismatch, largestUlpDistance: this.#largestUlpDistance }
    return { comparedCount: this.#comparedCount, mismatchCount: this.#mismatchCount, ...found }
  }
}

/** Of element i of two arrays of bytes. */
function ulpDistance(a: Uint8Array, b: Uint8Array, dtype: DType): (i: number) => number {
  if (!isFloatDType(dtype)) {
    const [u, v] = [decodeFloat32(a, dtype), decodeFloat32(b, dtype)]
    return (i) => Math.abs(u[i]! - v[i]!)
  }
  const width = byteWidth(dtype)
  const [x, y] = [bitPatterns(a, width), bitPatterns(b, width)]
  // Bits as integers in the numbers' order: the negative ones count down from -0, which is -1.
  const sign = 2 ** (8 * width - 1)
  const place = (bits: number): number => (bits >= sign ? sign - 1 - bits : bits)
  return (i) => Math.abs(place(x[i]!) - place(y[i]!))
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const words = a.byteLength >> 2
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const x = new Uint32Array(a.buffer, a.byteOffset, words)
    const y = new Uint32Array(b.buffer, b.byteOffset, words)
    for (let i = 0; i < words; i++) if (x[i] !== y[i]) return false
  } else {
    for (let i = 0; i < words * 4; i++) if (a[i] !== b[i]) return false
  }
  for (let i = words * 4; i < a.byteLength; i++) if (a[i] !== b[i]) return false
  return true
}
