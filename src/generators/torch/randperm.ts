// PyTorch's randperm on the CPU (ATen/native/TensorFactories.cpp): the Fisher-Yates shuffle with one word per step.

/** From this length on, PyTorch's randperm takes 64-bit words, which is not supported. */
export const LONG_PERMUTATION: number = /* @__PURE__ */ Math.floor(0xffffffff / 20)

/** The number of words that a permutation of n elements takes: one per step. */
export const randpermWords = (n: number): number => Math.max(0, n - 1)

/** Permutes `order`, in place, with one word for each of its elements except the last. */
export function permute(order: Uint32Array, words: Uint32Array): void {
  for (let i = 0; i < words.length; i++) {
    const other = i + (words[i]! % (order.length - i))
    const value = order[i]!
    order[i] = order[other]!
    order[other] = value
  }
}
