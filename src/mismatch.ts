/** Counts elements that differ in any bit. */
export class MismatchTally {
  readonly byteWidth: number
  mismatchCount = 0
  firstMismatch: number | undefined

  constructor(byteWidth: number) {
    this.byteWidth = byteWidth
  }

  /** Compares two runs of elements; `first` is the index of their first. */
  compare(actual: Uint8Array, expected: Uint8Array, first: number): void {
    if (sameBytes(actual, expected)) return
    const width = this.byteWidth
    for (let i = 0; i < expected.length / width; i++) {
      for (let byte = i * width; byte < (i + 1) * width; byte++) {
        if (actual[byte] !== expected[byte]) {
          this.mismatchCount++
          this.firstMismatch ??= first + i
          break
        }
      }
    }
  }

  result(): { mismatchCount: number; firstMismatch?: number } {
    const { mismatchCount, firstMismatch } = this
    return { mismatchCount, ...(firstMismatch === undefined ? {} : { firstMismatch }) }
  }
}

/** Whether two arrays hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
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
