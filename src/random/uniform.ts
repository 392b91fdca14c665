// CPU reference of shaders/distributions/uniform.wgsl.

const fround = Math.fround

/** The exact float32 constants of a uniform distribution, in the form that the shader takes. */
export interface UniformConstants {
  readonly scale: number
  readonly offset: number
  readonly top: number
  readonly step: number
  readonly zeroPoint: number
}

/**
 * The constants for U[low, high). Both bounds are rounded to float32 first.
 *
 * With k = word & 0xffffff, which takes 2^24 equally likely values, the value is
 * - `high * ((k - 2^23) 2^-23)`, rounded once and in [-high, high), if the range is symmetric (low = -high);
 * - otherwise `low + (k 2^-24) (high - low)`, rounded twice; a sum that rounds up to `high` becomes the largest float32
 *   below `high`.
 */
export function uniformConstants(low: number, high: number): UniformConstants {
  const lo = fround(low)
  const hi = fround(high)
  const top = nextBelow(hi)
  if (lo === -hi) return { scale: hi, offset: 0, top, step: 2 ** -23, zeroPoint: 2 ** 23 }
  return { scale: fround(hi - lo), offset: lo, top, step: 2 ** -24, zeroPoint: 0 }
}

/** The value of a word, made from its low 24 bits. The same bits on every device. */
export function uniformValue(word: number, { scale, offset, top, step, zeroPoint }: UniformConstants): number {
  const unit = ((word & 0xffffff) - zeroPoint) * step
  return Math.min(fround(fround(unit * scale) + offset), top)
}

/** The largest float32 below a finite float32. */
export function nextBelow(x: number): number {
  const float = new Float32Array([x])
  const bits = new Int32Array(float.buffer)
  if (x === 0) bits[0] = 0x80000001 | 0
  else bits[0] = (bits[0] ?? 0) + (x > 0 ? -1 : 1)
  return float[0] ?? 0
}
