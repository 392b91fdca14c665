import type { DType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import { dtypeNames } from './dtype-names.js'

/**
 * The bytes before the data of a NumPy .npy file, version 1.0: magic, version, header length (u16, little-endian) and a
 * Python dict as text, padded with spaces and ended by a newline so that the data begin at a multiple of 64.
 * Rows come first (fortran_order False), little-endian. Source: numpy.lib.format.
 *
 * @throws WeightInitError `UNSUPPORTED_DTYPE` for bfloat16 and float8, for which NumPy has no type
 */
export function npyHeader(dtype: DType, shape: readonly number[], where = 'A .npy file'): Uint8Array {
  const description = dtypeNames[dtype].npy
  if (description === undefined) {
    throw new WeightInitError(
      'UNSUPPORTED_DTYPE',
      `${where}: .npy has no type for ${dtype}. Use float32 or float16, or a format that has it: safetensors or raw.`,
    )
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`
  const byteLength = Math.ceil((10 + dict.length + 1) / 64) * 64
  if (byteLength - 10 > 0xffff) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `${where}: shape ${show(shape)} has more axes than a .npy header holds.`,
    )
  }
  const bytes = new Uint8Array(byteLength).fill(0x20)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
  new DataView(bytes.buffer).setUint16(8, byteLength - 10, true)
  bytes.set(new TextEncoder().encode(dict), 10)
  bytes[byteLength - 1] = 0x0a
  return bytes
}
