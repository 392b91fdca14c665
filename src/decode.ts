import type { DType } from './dtype.js'
import { byteWidth } from './dtype.js'
import { bfloat16ToNumber, float16ToNumber } from './random/half.js'

/** Little-endian bytes of any dtype as Float32Array; exact for the floating dtypes and for integers up to 2^24. */
export function decodeFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  const count = bytes.byteLength / byteWidth(dtype)
  if (dtype === 'float32') return new Float32Array(bytes.slice().buffer)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = elementReader(view, dtype)
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) out[i] = read(i)
  return out
}

function elementReader(view: DataView, dtype: DType): (index: number) => number {
  switch (dtype) {
    case 'float32':
      return (i) => view.getFloat32(4 * i, true)
    case 'float16':
      return (i) => float16ToNumber(view.getUint16(2 * i, true))
    case 'bfloat16':
      return (i) => bfloat16ToNumber(view.getUint16(2 * i, true))
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
