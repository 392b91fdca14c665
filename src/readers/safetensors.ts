import type { DType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import { dtypeNames } from './dtype-names.js'
import { MAX_HEADER_BYTES, safetensorsBits } from './safetensors-header.js'

export { parseSafetensorsHeader, safetensorsHeaderLength } from './safetensors-header.js'

/** A tensor as a .safetensors file lists it; its dtype by this package's name, or by the format's. */
export type SafetensorsEntry = {
  readonly name: string
  readonly shape: readonly number[]
} & ({ readonly dtype: DType } | { readonly storedDType: string })

/** Where a .safetensors file keeps its tensors. */
export interface SafetensorsLayout {
  /** The file's first bytes: header length (u64, little-endian) and the JSON, padded with spaces to a multiple of 8. */
  readonly header: Uint8Array
  /** Offset of each tensor's first byte in the file, in the order given. */
  readonly offsets: readonly number[]
  /** Length of the whole file. */
  readonly byteLength: number
}

/**
 * Lays out a .safetensors file: tensors one after the other without gaps, as the format demands; those of wider elements
 * first, else in the order given, so that each begins at a multiple of its element's size.
 * Source: the format's description in huggingface/safetensors, whose own writer sorts for the same reason.
 * @throws WeightInitError `INVALID_MODEL` for the name that the format reserves, `LIMIT_EXCEEDED` for a header over 100 MB
 */
export function layoutSafetensors(
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsLayout {
  // A null prototype: a tensor may be called __proto__.
  const table: Record<string, unknown> = Object.create(null)
  if (Object.keys(metadata).length > 0) table.__metadata__ = metadata
  const names = new Set<string>()
  const sized = entries.map((entry, index) => {
    const { name, shape } = entry
    const dtype = 'storedDType' in entry ? entry.storedDType : dtypeNames[entry.dtype].safetensors
    if (name === '__metadata__' || names.has(name)) {
      throw new WeightInitError(
        'INVALID_MODEL',
        `A .safetensors file cannot hold a tensor called ${show(name)}${name === '__metadata__' ? ', a name that the format reserves' : ' twice'}.`,
      )
    }
    const bits = Object.hasOwn(safetensorsBits, dtype) ? safetensorsBits[dtype] : undefined
    if (bits === undefined) {
      throw new WeightInitError(
        'UNSUPPORTED_DTYPE',
        `Tensor ${show(name)}: .safetensors has no dtype ${show(dtype)}; it has ${Object.keys(safetensorsBits).join(', ')}.`,
      )
    }
    names.add(name)
    return { index, name, shape, dtype, bits, byteLength: (shape.reduce((a, b) => a * b, 1) * bits) / 8 }
  })
  let at = 0
  const starts: number[] = []
  for (const { index, byteLength } of [...sized].sort((a, b) => b.bits - a.bits || a.index - b.index)) {
    starts[index] = at
    at += byteLength
  }
  for (const { index, name, shape, dtype, byteLength } of sized) {
    table[name] = { dtype, shape, data_offsets: [starts[index]!, starts[index]! + byteLength] }
  }
  const json = new TextEncoder().encode(JSON.stringify(table))
  const jsonLength = Math.ceil(json.length / 8) * 8
  if (jsonLength > MAX_HEADER_BYTES) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `The .safetensors header would have ${jsonLength} bytes; the format allows ${MAX_HEADER_BYTES}. Write fewer tensors to a file.`,
    )
  }
  const header = new Uint8Array(8 + jsonLength).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(jsonLength), true)
  header.set(json, 8)
  return { header, offsets: starts.map((start) => header.length + start), byteLength: header.length + at }
}
