// PyTorch's randperm on the CPU (ATen/native/TensorFactories.cpp): Fisher and Yates, a word a step.

/** From this length on, PyTorch's randperm takes 64-bit words; that is not offered. */
export const LONG_PERMUTATION: number = /* @__PURE__ */ Math.floor(0xffffffff / 20)

/** Words that a permutation of n takes: one a step. */
export const randpermWords = (n: number): number => Math.max(0, n - 1)

/** Permutes `order`, which holds 0 ... n-1, by a word for every place but the last. */
export function permute(order: Uint32Array, words: Uint32Array): void {
  for (let i = 0; i < words.length; i++) {
    const other = i + (words[i]! % (order.length - i))
    const kept = order[i]!
    order[i] = order[other]!
    order[other] = kept
  }
}
