// CPU reference of shaders/statistics/scramble.wgsl and of the hashes in measure.wgsl.

/** Elements from an anchor on that its fingerprint covers. */
export const FINGERPRINT_LENGTH = 16
/** Elements at the start of a tensor whose bins are hashed. */
export const START_LENGTH = 1024

/** A bijection of 32-bit words that spreads every bit (Wellons, lowbias32); result unsigned. Exact. */
export function scramble(word: number): number {
  let x = word ^ 0x9e3779b9
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

/** Two words that identify 16 neighbouring elements by their float32 bits. Exact. */
export function fingerprint(bits: Uint32Array, at: number): readonly [number, number] {
  let a = 0
  let b = 0
  for (let k = 0; k < FINGERPRINT_LENGTH; k++) {
    const word = bits[at + k]!
    a = scramble(a ^ word)
    b = scramble(b + (word ^ 0x85ebca6b))
  }
  return [a, b]
}

/** What element `index` with this bin adds to the two words of a tensor's start hash. */
export function startTerms(bin: number, index: number): readonly [number, number] {
  return [scramble(scramble(bin) ^ index), scramble(scramble(bin ^ 0x85ebca6b) + index)]
}

/**
 * The word that says whether an element is an anchor, from its bits and those of the next three: where there are few numbers, one
 * element alone would choose a large share of all places or none. Exact.
 */
export function anchorWord(bits: Uint32Array, at: number): number {
  const [a, b, c, d] = [bits[at]!, bits[at + 1]!, bits[at + 2]!, bits[at + 3]!]
  return scramble(a ^ ((b << 8) | (b >>> 24)) ^ ((c << 16) | (c >>> 16)) ^ ((d << 24) | (d >>> 8)))
}

/**
 * Which elements are anchors: those whose anchor word has these bits 0. One in 64 of a small model, one in 1024 from
 * 2^26 elements on, so that there are enough to find a copied block and few enough to keep.
 */
export function anchorMask(elementCount: number): number {
  const bits = Math.min(10, Math.max(6, Math.ceil(Math.log2(Math.max(1, elementCount))) - 16))
  return 2 ** bits - 1
}
