import { byteWidth, type DType, floatFormats, integerFormats, isFloatDType } from './dtype.js'

/** Little-endian bytes of any dtype as Float32Array; exact for the floating dtypes and for integers up to 2^24. */
export function decodeFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  if (dtype === 'float32') return new Float32Array(bytes.slice().buffer)
  const out = new Float32Array(bytes.byteLength / byteWidth(dtype))
  if (isFloatDType(dtype)) {
    const patterns = bitPatterns(bytes, byteWidth(dtype))
    const { decode } = floatFormats[dtype]
    for (let i = 0; i < out.length; i++) out[i] = decode(patterns[i]!)
    return out
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { read } = integerFormats[dtype]
  for (let i = 0; i < out.length; i++) out[i] = read(view, i)
  return out
}

/** The same to be read only: not a copy where the bytes are float32 in place. */
export function viewFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  return dtype === 'float32' && bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : decodeFloat32(bytes, dtype)
}

/** Unsigned integers of so many bytes. */
export const patternArrays: { 1: typeof Uint8Array; 2: typeof Uint16Array; 4: typeof Uint32Array } = {
  1: Uint8Array,
  2: Uint16Array,
  4: Uint32Array,
}

/** Little-endian bytes as unsigned integers of so many bytes each: a view where they are aligned, else a copy. */
export function bitPatterns(bytes: Uint8Array, width: number): Uint8Array | Uint16Array | Uint32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % width === 0 ? bytes : bytes.slice()
  return new patternArrays[width as keyof typeof patternArrays](buffer as ArrayBuffer, byteOffset, byteLength / width)
}
