// CPU reference of shaders/random/libraries/fma.wgsl: float32 operations that WGSL and JavaScript do not have.

const fround = Math.fround

/** Computes a float32 `a * b + c`, rounded once (fused) or after each operation (split). */
export type MulAdd = (a: number, b: number, c: number) => number

/**
 * a * b + c of float32 numbers, rounded once to float32: IEEE 754's fusedMultiplyAdd. Exact whenever the inputs are finite
 * and the result is a normal float32.
 *
 * In double precision the product is exact, and the sum is rounded to 53 bits. Rounding the sum again, to 24 bits, can be
 * wrong only if it lies half-way between two float32 numbers. In that case the sign of the sum's rounding error decides.
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b
  const sum = product + c
  const nearest = fround(sum)
  // The sum lies half-way if the mirror image of `nearest` about it is a float32 too.
  const mirror = 2 * sum - nearest
  if (mirror === nearest || fround(mirror) !== mirror) return nearest
  const back = sum - product
  const error = product - (sum - back) + (c - back)
  if (error === 0) return nearest
  return error > 0 ? Math.max(nearest, mirror) : Math.min(nearest, mirror)
}

/**
 * a * b + c, rounded to 53 bits and then to 24 bits. This equals `fusedMultiplyAdd` except in half-way cases, about one in
 * 2^29. Use it only in functions with few possible inputs, after checking that none of them is such a case.
 */
export function quickMultiplyAdd(a: number, b: number, c: number): number {
  return fround(a * b + c)
}

/** a * b + c, rounded after each operation, as compiled code computes it without contraction. */
export function splitMultiplyAdd(a: number, b: number, c: number): number {
  return fround(fround(a * b) + c)
}

/**
 * sqrt(x), correctly rounded, for x a normal float32 or 0. Rounding twice does no harm, because double precision has more
 * than twice as many bits as float32.
 */
export function exactSquareRoot(x: number): number {
  return fround(Math.sqrt(x))
}
