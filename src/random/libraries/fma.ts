// CPU reference of shaders/random/libraries/fma.wgsl: float32 operations that WGSL and JavaScript do not have.

const fround = Math.fround

/** How a float32 `a * b + c` is rounded: once ('fused') or after each operation ('split'). */
export type MulAdd = (a: number, b: number, c: number) => number

/**
 * a * b + c of float32 numbers, rounded once to float32: IEEE 754's fusedMultiplyAdd. Exact for every finite input
 * whose result is a normal float32.
 *
 * In double precision the product is exact and the sum is rounded to 53 bits; rounding that again to 24 bits goes wrong
 * only where the double lies half-way between two float32, and there the sum's own rounding error decides.
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b
  const sum = product + c
  const nearest = fround(sum)
  // Half-way means that the mirror image of `nearest` is a float32 too.
  const mirror = 2 * sum - nearest
  if (mirror === nearest || fround(mirror) !== mirror) return nearest
  const back = sum - product
  const error = product - (sum - back) + (c - back)
  if (error === 0) return nearest
  return error > 0 ? Math.max(nearest, mirror) : Math.min(nearest, mirror)
}

/**
 * a * b + c rounded to 53 bits and then to 24: `fusedMultiplyAdd` but for the half-way cases, which are about one in 2^29.
 * For functions of few inputs, where a check of all of them has found no such case.
 */
export function quickMultiplyAdd(a: number, b: number, c: number): number {
  return fround(a * b + c)
}

/** a * b + c with a rounding after each: what a compiler makes that does not contract. */
export function splitMultiplyAdd(a: number, b: number, c: number): number {
  return fround(fround(a * b) + c)
}

/** sqrt(x), correctly rounded, x a normal float32 or 0: double precision has more than twice the bits. */
export function exactSquareRoot(x: number): number {
  return fround(Math.sqrt(x))
}
