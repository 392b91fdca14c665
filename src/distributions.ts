import { byteWidth, type DType, isFloatDType, largestFinite } from './dtype.js'
import { show, WeightInitError } from './errors.js'
import { float32Bits, float32ToBfloat16, float32ToFloat16 } from './random/half.js'
import { uniformConstants } from './random/uniform.js'

/**
 * The law of a parameter's elements, in float64 as PyTorch computes it. Rounded once to float32 where it is used.
 * - constant: every element is `value`
 * - uniform: U[low, high)
 * - normal: N(mean, std^2)
 */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }

/** What a distribution promises; for uniform and normal laws of the continuous law, before rounding. */
export interface ExpectedMoments {
  readonly mean: number
  readonly std: number
  /** Every element is >= min and <= max. */
  readonly min: number
  readonly max: number
}

/** Largest |z| that Box-Muller makes from 32-bit words: sqrt(-2 ln 2^-33) = 6.764, rounded up. */
export const NORMAL_REACH = 6.77

/**
 * Smallest non-zero scale (std, range, bound, mean) of a random law. Below it a product could be subnormal in float32,
 * and WGSL lets a device flush subnormals: two devices could then differ.
 */
export const SMALLEST_SCALE: number = 2 ** -60

export function expectedMoments(d: Distribution): ExpectedMoments {
  switch (d.kind) {
    case 'constant':
      return { mean: d.value, std: 0, min: d.value, max: d.value }
    case 'uniform':
      return { mean: (d.low + d.high) / 2, std: (d.high - d.low) / Math.sqrt(12), min: d.low, max: d.high }
    case 'normal':
      return {
        mean: d.mean,
        std: d.std,
        min: d.mean - NORMAL_REACH * d.std,
        max: d.mean + NORMAL_REACH * d.std,
      }
  }
}

/** Short text for tables: `normal(0, 0.02)`. */
export function describeDistribution(d: Distribution): string {
  const n = (x: number): string => String(Number(x.toPrecision(6)))
  switch (d.kind) {
    case 'constant':
      return `constant(${n(d.value)})`
    case 'uniform':
      return `uniform[${n(d.low)}, ${n(d.high)})`
    case 'normal':
      return `normal(${n(d.mean)}, ${n(d.std)})`
  }
}

/**
 * Refuses a law that has no meaning, that would overflow the dtype, or that would leave the range in which every
 * device computes the same bits; returns the law to draw, in which a law without spread has become a constant.
 *
 * @param where what the message calls the parameter
 * @throws WeightInitError `INVALID_CONFIG` or `UNSUPPORTED_DTYPE`
 */
export function checkDistribution(d: Distribution, dtype: DType, where: string): Distribution {
  const fail = (message: string): never => {
    throw new WeightInitError('INVALID_CONFIG', `${where}: ${message}`)
  }
  const finite = (value: unknown, name: string): number =>
    typeof value === 'number' && Number.isFinite(value)
      ? value
      : fail(`${name} must be a finite number, but found ${show(value)}.`)
  const notTiny = (value: number, name: string): void => {
    if (value !== 0 && Math.abs(value) < SMALLEST_SCALE) {
      fail(
        `${name} ${show(value)} is too small: below 2^-60 (${SMALLEST_SCALE.toPrecision(3)}) float32 products may be ` +
          'flushed to zero on some devices. Use 0 or a larger value.',
      )
    }
  }
  const constant = (value: number): Distribution => {
    checkConstant(value, dtype, where)
    return { kind: 'constant', value }
  }

  if (d.kind === 'constant') return constant(d.value)
  const float = isFloatDType(dtype)
  const outOfRange = (x: number): boolean => !float || Math.abs(x) > largestFinite(dtype)
  if (!float) {
    throw new WeightInitError(
      'UNSUPPORTED_DTYPE',
      `${where} has dtype ${dtype}, which takes no random values ("${d.kind}" not implemented for '${dtype}'). ` +
        'Give it a constant, skip it, or make it float32, float16 or bfloat16.',
    )
  }
  if (d.kind === 'uniform') {
    const low = finite(d.low, 'a')
    const high = finite(d.high, 'b')
    if (low > high) {
      fail(`uniform_ expects to return a [from, to) range, but found from=${low} > to=${high}. Swap a and b.`)
    }
    if (outOfRange(low)) fail(`from is out of bounds for ${dtype}: a = ${low}, largest finite ${largestFinite(dtype)}.`)
    if (outOfRange(high)) fail(`to is out of bounds for ${dtype}: b = ${high}, largest finite ${largestFinite(dtype)}.`)
    if (Math.fround(low) === Math.fround(high)) return constant(low + 0) // -0 becomes 0
    if (outOfRange(high - low)) {
      fail(`uniform_ expects to-from <= std::numeric_limits<${dtype}>::max(), but found to=${high} and from=${low}.`)
    }
    notTiny(high - low, 'the range b - a')
    notTiny(low, 'a')
    return d
  }
  const mean = finite(d.mean, 'mean')
  const std = d.std
  if (typeof std !== 'number' || Number.isNaN(std) || std < 0) {
    fail(`normal expects std >= 0.0, but found std ${typeof std === 'number' ? std : show(std)}.`)
  }
  finite(std, 'std')
  if (std === 0) return constant(mean)
  if (outOfRange(Math.abs(mean) + NORMAL_REACH * std)) {
    fail(
      `mean ${mean} with std ${std} overflows ${dtype}: values reach |mean| + ${NORMAL_REACH} std, the largest ` +
        `finite ${dtype} is ${largestFinite(dtype)}.`,
    )
  }
  notTiny(std, 'std')
  notTiny(mean, 'mean')
  return d
}

const integerRange: Partial<Record<DType, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bool: [0n, 1n],
}

function checkConstant(value: number, dtype: DType, where: string): void {
  const fail = (why: string): never => {
    throw new WeightInitError('INVALID_CONFIG', `${where}: constant ${show(value)} ${why}`)
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) fail('is not a finite number.')
  if (isFloatDType(dtype)) {
    if (Math.abs(value) > largestFinite(dtype)) {
      fail(`is out of bounds for ${dtype}, whose largest finite value is ${largestFinite(dtype)}.`)
    }
    return
  }
  const [low, high] = integerRange[dtype] as readonly [bigint, bigint]
  if (!Number.isInteger(value) || BigInt(value) < low || BigInt(value) > high) {
    fail(`is not an integer in [${low}, ${high}], the range of ${dtype}.`)
  }
}

/** The 16 bytes that repeat through a constant parameter: a whole number of elements of any dtype. */
export function constantPattern(value: number, dtype: DType): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  const width = byteWidth(dtype)
  for (let at = 0; at < 16; at += width) {
    if (dtype === 'float32') view.setFloat32(at, value, true)
    else if (dtype === 'float16') view.setUint16(at, float32ToFloat16(float32Bits(value)), true)
    else if (dtype === 'bfloat16') view.setUint16(at, float32ToBfloat16(float32Bits(value)), true)
    else {
      const integer = BigInt.asUintN(8 * width, BigInt(value))
      for (let byte = 0; byte < width; byte++) bytes[at + byte] = Number((integer >> BigInt(8 * byte)) & 0xffn)
    }
  }
  return bytes
}

/** Which shader makes the values. */
export type SamplerName = 'uniform' | 'normal'

/** A random law as the sampler takes it: eight float32 constants (law0 and law1 of shaders/core/job.wgsl). */
export interface SamplerLaw {
  readonly sampler: SamplerName
  readonly constants: Float32Array
}

/** The sampler and its constants for a random law. */
export function samplerLaw(d: Exclude<Distribution, { kind: 'constant' }>): SamplerLaw {
  const constants = new Float32Array(8)
  if (d.kind === 'uniform') {
    const { scale, offset, top, step, origin } = uniformConstants(d.low, d.high)
    constants.set([scale, offset, top, step, origin])
  } else {
    constants.set([d.std, d.mean])
  }
  return { sampler: d.kind, constants }
}
