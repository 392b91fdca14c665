import { show, WeightInitError } from './errors.js'

/** Floating dtypes that take random values. float32 is drawn; the others are that float32 rounded to nearest even. */
export type FloatDType = 'float32' | 'float16' | 'bfloat16'

/** Every dtype a parameter may have. The non-floating ones take constants only. */
export type DType =
  | FloatDType
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'

interface DTypeFacts {
  readonly byteWidth: 1 | 2 | 4 | 8
  /** Largest finite magnitude of a floating dtype; undefined for the others. */
  readonly largest?: number
}

const facts: Readonly<Record<DType, DTypeFacts>> = {
  float32: { byteWidth: 4, largest: 3.4028234663852886e38 },
  float16: { byteWidth: 2, largest: 65504 },
  bfloat16: { byteWidth: 2, largest: 3.3895313892515355e38 },
  int64: { byteWidth: 8 },
  int32: { byteWidth: 4 },
  int16: { byteWidth: 2 },
  int8: { byteWidth: 1 },
  uint64: { byteWidth: 8 },
  uint32: { byteWidth: 4 },
  uint16: { byteWidth: 2 },
  uint8: { byteWidth: 1 },
  bool: { byteWidth: 1 },
}

export const dtypes: readonly DType[] = /* @__PURE__ */ Object.keys(facts) as DType[]
export const floatDTypes: readonly FloatDType[] = ['float32', 'float16', 'bfloat16']

export function byteWidth(dtype: DType): 1 | 2 | 4 | 8 {
  return facts[dtype].byteWidth
}

/** Largest finite magnitude of a floating dtype. */
export function largestFinite(dtype: FloatDType): number {
  return facts[dtype].largest as number
}

export function isFloatDType(dtype: DType): dtype is FloatDType {
  return (floatDTypes as readonly string[]).includes(dtype)
}

/** @throws WeightInitError `UNSUPPORTED_DTYPE` naming the known dtypes */
export function checkDType(dtype: unknown, where: string): DType {
  if (typeof dtype === 'string' && Object.hasOwn(facts, dtype)) return dtype as DType
  throw new WeightInitError('UNSUPPORTED_DTYPE', `${where}: unknown dtype ${show(dtype)}; known: ${dtypes.join(', ')}.`)
}
