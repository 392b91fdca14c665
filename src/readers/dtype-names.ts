import type { DType } from '../core/dtype.js'

export interface DTypeNames {
  /** In the header of a .safetensors file. */
  readonly safetensors: string
  /** The `descr` of a .npy file; undefined where NumPy has no such type. */
  readonly npy: string | undefined
  /** Number of the ONNX TensorProto.DataType. */
  readonly onnx: number
}

/** What file formats call each dtype. */
export const dtypeNames: Readonly<Record<DType, DTypeNames>> = {
  float32: { safetensors: 'F32', npy: '<f4', onnx: 1 },
  float16: { safetensors: 'F16', npy: '<f2', onnx: 10 },
  bfloat16: { safetensors: 'BF16', npy: undefined, onnx: 16 },
  float8_e4m3fn: { safetensors: 'F8_E4M3', npy: undefined, onnx: 17 },
  float8_e5m2: { safetensors: 'F8_E5M2', npy: undefined, onnx: 19 },
  int64: { safetensors: 'I64', npy: '<i8', onnx: 7 },
  int32: { safetensors: 'I32', npy: '<i4', onnx: 6 },
  int16: { safetensors: 'I16', npy: '<i2', onnx: 5 },
  int8: { safetensors: 'I8', npy: '|i1', onnx: 3 },
  uint64: { safetensors: 'U64', npy: '<u8', onnx: 13 },
  uint32: { safetensors: 'U32', npy: '<u4', onnx: 12 },
  uint16: { safetensors: 'U16', npy: '<u2', onnx: 4 },
  uint8: { safetensors: 'U8', npy: '|u1', onnx: 2 },
  bool: { safetensors: 'BOOL', npy: '|b1', onnx: 9 },
}

/** Dtypes by what a format calls them. */
export function dtypesBy<K extends keyof DTypeNames>(format: K): ReadonlyMap<DTypeNames[K], DType> {
  return new Map(Object.entries(dtypeNames).map(([dtype, names]) => [names[format], dtype as DType]))
}
