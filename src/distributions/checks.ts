import { type DType, type FloatDType, floatDTypes, isFloatDType, largestFinite } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'

/** The largest |z| that Box-Muller makes from 32-bit words: sqrt(-2 ln 2^-33) = 6.764, rounded up. */
export const NORMAL_MAX_ABS = 6.77

/**
 * The smallest non-zero scale (std, range, bound, mean) of a random distribution. Below it a float32 product could be
 * subnormal. WGSL allows a device to flush subnormals to zero, so two devices could then differ.
 */
export const SMALLEST_SCALE: number = 2 ** -60

export function fail(where: string, message: string): never {
  throw new WeightInitError('INVALID_CONFIG', `${where}: ${message}`)
}

export function checkFinite(value: unknown, name: string, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return fail(where, `${name} must be a finite number, but found ${show(value)}.`)
}

/** @throws WeightInitError `INVALID_CONFIG`, with PyTorch's message, unless std is a finite number >= 0 */
export function checkStd(std: unknown, where: string): number {
  if (typeof std !== 'number' || Number.isNaN(std) || std < 0) {
    fail(where, `normal expects std >= 0.0, but found std ${typeof std === 'number' ? std : show(std)}.`)
  }
  return checkFinite(std, 'std', where)
}

export function checkNotTiny(value: number, name: string, where: string): void {
  if (value !== 0 && Math.abs(value) < SMALLEST_SCALE) {
    fail(
      where,
      `${name} ${show(value)} is too small: below 2^-60 (${SMALLEST_SCALE.toPrecision(3)}) float32 products may be ` +
        'flushed to zero on some devices. Use 0 or a larger value.',
    )
  }
}

/** @throws WeightInitError `UNSUPPORTED_DTYPE` for a dtype that is not a floating-point type */
export function requireFloat(dtype: DType, kind: string, where: string): FloatDType {
  if (isFloatDType(dtype)) return dtype
  throw new WeightInitError(
    'UNSUPPORTED_DTYPE',
    `${where} has dtype ${dtype}, which takes no random values ("${kind}" not implemented for '${dtype}'). ` +
      `Give it a constant, skip it, or make it one of ${floatDTypes.join(', ')}.`,
  )
}

/** @throws WeightInitError `INVALID_CONFIG` if a value of this magnitude would become infinite in the dtype */
export function checkMaxAbs(maxAbs: number, dtype: FloatDType, what: string, where: string): void {
  if (maxAbs > largestFinite(dtype)) {
    fail(
      where,
      `${what} overflows ${dtype}: values reach ${maxAbs.toPrecision(4)}, the largest finite ${dtype} is ${largestFinite(dtype)}.`,
    )
  }
}

/** A number as text with at most six significant digits and no trailing zeros. */
export const brief = (x: number): string => String(Number(x.toPrecision(6)))
