import { FINGERPRINT_LENGTH } from './fingerprint.js'

/** How easily elements of a tensor agree with others by chance. */
export interface Agreement {
  readonly elementCount: number
  /** Bounds on the probability that two independent elements are equal, and on that of the likeliest number. */
  readonly collision: number
  readonly largestAtom: number
}

/**
 * A bound on the probability that 16 elements in a row equal 16 others anywhere in these tensors. Of two places that do not overlap,
 * all 16 pairs agree with probability at most sqrt(c d)^16, c and d being the tensors' collision probabilities (Cauchy-Schwarz). Of places
 * that overlap, each element beyond the first ones repeats one before it: at most largestAtom^16, 15 times for each element.
 */
export function agreementChance(tensors: readonly Agreement[]): number {
  let apart = 0
  let overlapping = 0
  for (const { elementCount, collision, largestAtom } of tensors) {
    apart += elementCount * collision ** (FINGERPRINT_LENGTH / 2)
    overlapping += elementCount * (FINGERPRINT_LENGTH - 1) * largestAtom ** FINGERPRINT_LENGTH
  }
  return (apart * apart) / 2 + overlapping
}
