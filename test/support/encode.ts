// Values as the bytes of a dtype, by the number that is nearest: tests change elements of tensors with it.
import { byteWidth, type FloatDType } from '../../src/core/dtype.js'
import { storeValues } from '../../src/cpu/sample.js'

export function encodeValues(values: Float32Array, dtype: FloatDType): Uint8Array {
  const bytes = new Uint8Array(values.length * byteWidth(dtype))
  storeValues(values, dtype, bytes)
  return bytes
}
