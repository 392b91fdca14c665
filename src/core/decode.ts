import type { DType, FloatDType } from './dtype.js'
import { byteWidth } from './dtype.js'
import { bfloat16ToNumber, float16ToNumber } from './half.js'

/** Little-endian bytes of any dtype as Float32Array; exact for the floating dtypes and for integers up to 2^24. */
export function decodeFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  const count = bytes.byteLength / byteWidth(dtype)
  if (dtype === 'float32') return new Float32Array(bytes.slice().buffer)
  const out = new Float32Array(count)
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const { buffer, byteOffset } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice()
    const halves = new Uint16Array(buffer, byteOffset, count)
    if (dtype === 'float16') for (let i = 0; i < count; i++) out[i] = float16ToNumber(halves[i]!)
    else for (let i = 0; i < count; i++) out[i] = bfloat16ToNumber(halves[i]!)
    return out
  }
  const read = elementReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), dtype)
  for (let i = 0; i < count; i++) out[i] = read(i)
  return out
}

/** The same to be read only: not a copy where the bytes are float32 in place. */
export function viewFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  return dtype === 'float32' && bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : decodeFloat32(bytes, dtype)
}

function elementReader(view: DataView, dtype: Exclude<DType, FloatDType>): (index: number) => number {
  switch (dtype) {
    case 'int64':
      return (i) => Number(view.getBigInt64(8 * i, true))
    case 'uint64':
      return (i) => Number(view.getBigUint64(8 * i, true))
    case 'int32':
      return (i) => view.getInt32(4 * i, true)
    case 'uint32':
      return (i) => view.getUint32(4 * i, true)
    case 'int16':
      return (i) => view.getInt16(2 * i, true)
    case 'uint16':
      return (i) => view.getUint16(2 * i, true)
    case 'int8':
      return (i) => view.getInt8(i)
    case 'uint8':
    case 'bool':
      return (i) => view.getUint8(i)
  }
}
