import { sha256 as digest } from '@noble/hashes/sha2'
import { bytesToHex } from '@noble/hashes/utils'

// No module of Node's here, nor in what test/gpu imports: those suites run in Chromium too (test/browser/suites.config.ts).

export function sha256(bytes: Uint8Array): string {
  return bytesToHex(digest(bytes))
}

/** The same, natively and beside other work: for many megabytes. */
export async function sha256InBackground(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Elements of `width` bytes that differ, with the index of the first. */
export function countDifferences(a: Uint8Array, b: Uint8Array, width: number): { count: number; first: number } {
  let count = 0
  let first = -1
  if (a.length !== b.length) return { count: Number.POSITIVE_INFINITY, first: 0 }
  if (sameBytes(a, b)) return { count, first }
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
