import { createHash } from 'node:crypto'

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Elements of `width` bytes that differ, with the index of the first. */
export function countDifferences(a: Uint8Array, b: Uint8Array, width: number): { count: number; first: number } {
  let count = 0
  let first = -1
  if (a.length !== b.length) return { count: Number.POSITIVE_INFINITY, first: 0 }
  if (Buffer.compare(a, b) === 0) return { count, first }
  for (let i = 0; i < a.length; i += width) {
    for (let byte = i; byte < i + width; byte++) {
      if (a[byte] !== b[byte]) {
        if (count === 0) first = i / width
        count++
        break
      }
    }
  }
  return { count, first }
}
