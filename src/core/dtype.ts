import { show, WeightInitError } from './errors.js'
import { float8E4M3ToNumber, float8E5M2ToNumber, float32ToFloat8E4M3, float32ToFloat8E5M2 } from './float8.js'
import {
  bfloat16ToNumber,
  float16ToNumber,
  float32Bits,
  float32FromBits,
  float32ToBfloat16,
  float32ToFloat16,
} from './half.js'

/** Floating dtypes that take random values. float32 is drawn; the others are that float32 rounded to nearest even. */
export type FloatDType = 'float32' | 'float16' | 'bfloat16' | 'float8_e4m3fn' | 'float8_e5m2'

/** Dtypes that take constants only. */
export type IntegerDType = 'int64' | 'int32' | 'int16' | 'int8' | 'uint64' | 'uint32' | 'uint16' | 'uint8' | 'bool'

/** Every dtype a parameter may have. The non-floating ones take constants only. */
export type DType = FloatDType | IntegerDType

/** Everything the package knows of a floating dtype's numbers. */
export interface FloatFormat {
  readonly byteWidth: 1 | 2 | 4
  /** Fraction bits: numbers in [1, 2) are 2^-fractionBits apart. */
  readonly fractionBits: number
  /** Largest finite magnitude. */
  readonly largest: number
  /** Smallest magnitude that has all fraction bits. */
  readonly smallestNormal: number
  /** float32 bits -> this dtype's bits, round to nearest, ties to even. Finite input. */
  readonly encode: (bits: number) => number
  /** This dtype's bits -> the number they stand for. */
  readonly decode: (bits: number) => number
}

/** One row per floating dtype. Rows in the order of `FloatDType`: messages list them so. */
export const floatFormats: Readonly<Record<FloatDType, FloatFormat>> = {
  float32: {
    byteWidth: 4,
    fractionBits: 23,
    largest: 3.4028234663852886e38,
    smallestNormal: 2 ** -126,
    encode: (bits) => bits,
    decode: float32FromBits,
  },
  float16: {
    byteWidth: 2,
    fractionBits: 10,
    largest: 65504,
    smallestNormal: 2 ** -14,
    encode: float32ToFloat16,
    decode: float16ToNumber,
  },
  bfloat16: {
    byteWidth: 2,
    fractionBits: 7,
    largest: 3.3895313892515355e38,
    smallestNormal: 2 ** -126,
    encode: float32ToBfloat16,
    decode: bfloat16ToNumber,
  },
  float8_e4m3fn: {
    byteWidth: 1,
    fractionBits: 3,
    largest: 448,
    smallestNormal: 2 ** -6,
    encode: float32ToFloat8E4M3,
    decode: float8E4M3ToNumber,
  },
  float8_e5m2: {
    byteWidth: 1,
    fractionBits: 2,
    largest: 57344,
    smallestNormal: 2 ** -14,
    encode: float32ToFloat8E5M2,
    decode: float8E5M2ToNumber,
  },
}

/** Everything the package knows of an integer dtype's numbers. */
export interface IntegerFormat {
  readonly byteWidth: 1 | 2 | 4 | 8
  readonly low: bigint
  readonly high: bigint
  /** Element `index` of little-endian bytes, as the nearest number. */
  readonly read: (view: DataView, index: number) => number
}

export const integerFormats: Readonly<Record<IntegerDType, IntegerFormat>> = {
  int64: {
    byteWidth: 8,
    low: -0x8000000000000000n,
    high: 0x7fffffffffffffffn,
    read: (view, i) => Number(view.getBigInt64(8 * i, true)),
  },
  int32: { byteWidth: 4, low: -0x80000000n, high: 0x7fffffffn, read: (view, i) => view.getInt32(4 * i, true) },
  int16: { byteWidth: 2, low: -32768n, high: 32767n, read: (view, i) => view.getInt16(2 * i, true) },
  int8: { byteWidth: 1, low: -128n, high: 127n, read: (view, i) => view.getInt8(i) },
  uint64: {
    byteWidth: 8,
    low: 0n,
    high: 0xffffffffffffffffn,
    read: (view, i) => Number(view.getBigUint64(8 * i, true)),
  },
  uint32: { byteWidth: 4, low: 0n, high: 0xffffffffn, read: (view, i) => view.getUint32(4 * i, true) },
  uint16: { byteWidth: 2, low: 0n, high: 65535n, read: (view, i) => view.getUint16(2 * i, true) },
  uint8: { byteWidth: 1, low: 0n, high: 255n, read: (view, i) => view.getUint8(i) },
  bool: { byteWidth: 1, low: 0n, high: 1n, read: (view, i) => view.getUint8(i) },
}

const formats: Readonly<Record<DType, { readonly byteWidth: 1 | 2 | 4 | 8 }>> = /* @__PURE__ */ Object.assign(
  {},
  floatFormats,
  integerFormats,
)

export const dtypes: readonly DType[] = /* @__PURE__ */ Object.keys(formats) as DType[]
export const floatDTypes: readonly FloatDType[] = /* @__PURE__ */ Object.keys(floatFormats) as FloatDType[]

export function byteWidth(dtype: DType): 1 | 2 | 4 | 8 {
  return formats[dtype].byteWidth
}

/** Largest finite magnitude of a floating dtype. */
export function largestFinite(dtype: FloatDType): number {
  return floatFormats[dtype].largest
}

export function isFloatDType(dtype: DType): dtype is FloatDType {
  return Object.hasOwn(floatFormats, dtype)
}

/** The number of the dtype nearest to `x`, ties to even: as the package stores it. Infinities and NaN stay. */
export function roundToDType(x: number, dtype: FloatDType): number {
  const f = Math.fround(x)
  const { encode, decode } = floatFormats[dtype]
  return Number.isFinite(f) ? decode(encode(float32Bits(f))) : f
}

/** @throws WeightInitError `UNSUPPORTED_DTYPE` naming the known dtypes */
export function checkDType(dtype: unknown, where: string): DType {
  if (typeof dtype === 'string' && Object.hasOwn(formats, dtype)) return dtype as DType
  throw new WeightInitError('UNSUPPORTED_DTYPE', `${where}: unknown dtype ${show(dtype)}; known: ${dtypes.join(', ')}.`)
}
