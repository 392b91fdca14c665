// CPU reference of shaders/distributions/uniform.wgsl.

const fround = Math.fround

/** The exact float32 constants of a uniform distribution, as the shader takes them. */
export interface UniformConstants {
  readonly scale: number
  readonly offset: number
  readonly top: number
  readonly step: number
  readonly zeroPoint: number
}

/**
 * Constants for U[low, high); both are rounded to float32 first.
 *
 * Symmetric range (low = -high): `high * ((k - 2^23) 2^-23)`, one rounding, in [-high, high).
 * Otherwise `low + (k 2^-24) (high - low)`, two roundings; a sum that rounds up to `high` becomes the largest
 * float32 below it. k = word & 0xffffff, so there are 2^24 equally likely values of k.
 */
export function uniformConstants(low: number, high: number): UniformConstants {
  const lo = fround(low)
  const hi = fround(high)
  const top = nextBelow(hi)
  if (lo === -hi) return { scale: hi, offset: 0, top, step: 2 ** -23, zeroPoint: 2 ** 23 }
  return { scale: fround(hi - lo), offset: lo, top, step: 2 ** -24, zeroPoint: 0 }
}

/** One value from the low 24 bits of a word. Exact: the same bits on every device. */
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
