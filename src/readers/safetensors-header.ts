import type { DType } from '../core/dtype.js'
import { refuse, show } from '../core/errors.js'
import { dtypesBy } from './dtype-names.js'
import { foreignFile } from './foreign-file.js'
import { parseStrictJson, type StrictJson } from './json/strict.js'

/** The format's own limit on the JSON part. */
export const MAX_HEADER_BYTES = 100_000_000

/** Bits per element of every dtype of the format, by its name there. */
export const safetensorsBits: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
}

const dtypeOf = /* @__PURE__ */ dtypesBy('safetensors')

/** A tensor in a .safetensors file. */
export interface SafetensorsTensor {
  readonly name: string
  /** As the format spells it: 'F32', 'BF16', 'F6_E2M3', ... */
  readonly storedDType: string
  /** This package's name for it, where it has one. */
  readonly dtype?: DType
  /** May hold zeros: the format allows empty tensors. */
  readonly shape: readonly number[]
  /** Offset of the first byte in the file. */
  readonly byteOffset: number
  readonly byteLength: number
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: readonly SafetensorsTensor[]
  readonly metadata: ReadonlyMap<string, string>
  /** Bytes before the tensors: the length and the JSON. */
  readonly headerByteLength: number
}

const fail = /* @__PURE__ */ refuse('INVALID_FILE', 'Not a valid .safetensors file: ')

/**
 * How many bytes at the start of a .safetensors file `parseSafetensorsHeader` needs: 8 and the JSON. Read that many.
 * @param start the file's first 8 bytes, or more
 * @throws WeightInitError `INVALID_FILE` for a length over 100 MB or past the end of the file
 */
export function safetensorsHeaderLength(start: Uint8Array, fileLength: number): number {
  if (!Number.isSafeInteger(fileLength) || fileLength < 8 || start.length < 8) {
    return fail(`it has ${Math.min(fileLength, start.length)} bytes, fewer than the 8 of the header's length.`)
  }
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, fileLength - 8))) {
    const foreign = foreignFile(start)
    if (foreign !== undefined) return fail(`it is ${foreign}.`)
  }
  if (length > BigInt(MAX_HEADER_BYTES)) {
    return fail(`it claims a header of ${length} bytes; the format allows ${MAX_HEADER_BYTES}.`)
  }
  const total = 8 + Number(length)
  if (total > fileLength) fail(`it claims a header of ${length} bytes, but the file has ${fileLength}.`)
  return total
}

/**
 * Reads and checks the header of a .safetensors file from anywhere, to the format's rules (huggingface/safetensors): a
 * JSON object of at most 100 MB without duplicate keys; known dtypes; shapes of integers >= 0 whose size does not
 * overflow; data_offsets that match the size and cover the rest of the file without holes and without overlap.
 * Nothing is allocated beyond what `bytes` holds, whatever the header claims.
 *
 * @param bytes the start of the file: at least `safetensorsHeaderLength(bytes, fileLength)` bytes
 * @param fileLength of the whole file, in bytes
 * @throws WeightInitError `INVALID_FILE` naming the tensor, the value and the rule
 */
export function parseSafetensorsHeader(bytes: Uint8Array, fileLength: number): SafetensorsHeader {
  const headerByteLength = safetensorsHeaderLength(bytes, fileLength)
  if (bytes.length < headerByteLength) {
    fail(`only ${bytes.length} of the header's ${headerByteLength} bytes were given.`)
  }
  if (bytes[8] !== 0x7b) fail('the header does not begin with {.')
  const json = parseStrictJson(decodeUtf8(bytes.subarray(8, headerByteLength)), 'The header', 8)
  if (!(json instanceof Map)) return fail('the header is no JSON object.')
  const metadata = new Map<string, string>()
  const tensors: SafetensorsTensor[] = []
  const dataLength = fileLength - headerByteLength
  for (const [name, entry] of json) {
    if (name === '__metadata__') {
      for (const [key, value] of stringsOf(entry)) metadata.set(key, value)
    } else tensors.push(readTensor(name, entry, headerByteLength, dataLength))
  }
  tensors.sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength)
  let end = headerByteLength
  for (const { name, byteOffset, byteLength } of tensors) {
    if (byteOffset !== end) {
      const what = byteOffset > end ? 'leaving a hole' : 'overlapping another tensor'
      fail(
        `tensor ${show(name)} begins at byte ${byteOffset - headerByteLength} of the data, ${what}; it should be ${end - headerByteLength}.`,
      )
    }
    end += byteLength
  }
  if (end !== fileLength) fail(`its tensors end at byte ${end}, but the file has ${fileLength}.`)
  return { tensors, metadata, headerByteLength }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return fail('the header is not UTF-8.')
  }
}

function stringsOf(entry: StrictJson): [string, string][] {
  if (entry === null) return []
  if (!(entry instanceof Map)) return fail('__metadata__ is no object.')
  return [...entry].map(([key, value]) => [
    key,
    typeof value === 'string' ? value : fail(`__metadata__ ${show(key)} is no string.`),
  ])
}

function readTensor(name: string, entry: StrictJson, headerByteLength: number, dataLength: number): SafetensorsTensor {
  const where = `tensor ${show(name)}`
  if (!(entry instanceof Map)) return fail(`${where} is no object { dtype, shape, data_offsets }.`)
  for (const key of entry.keys()) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') fail(`${where} has the unknown key ${show(key)}.`)
  }
  const [dtype, shape, offsets] = [entry.get('dtype'), entry.get('shape'), entry.get('data_offsets')]
  if (typeof dtype !== 'string' || !Object.hasOwn(safetensorsBits, dtype))
    return fail(`${where} has the unknown dtype ${show(dtype)}.`)
  const lengths = integers(shape, `${where}: shape`)
  const range = integers(offsets, `${where}: data_offsets`)
  const [begin = 0, end = 0] = range
  if (range.length !== 2 || begin > end || end > dataLength) {
    fail(`${where}: data_offsets ${show(range)} must be [begin, end] within the ${dataLength} bytes of data.`)
  }
  let elements = 1
  for (const length of lengths) {
    elements *= length
    if (!Number.isSafeInteger(elements)) fail(`${where}: shape ${show(lengths)} has more than 2^53 - 1 elements.`)
  }
  const bits = BigInt(elements) * BigInt(safetensorsBits[dtype]!)
  if (bits !== 8n * BigInt(end - begin)) {
    fail(
      `${where}: ${dtype} ${show(lengths)} needs ${bits / 8n} bytes, but data_offsets ${show(range)} give ${end - begin}.`,
    )
  }
  const known = dtypeOf.get(dtype)
  return {
    name,
    storedDType: dtype,
    ...(known === undefined ? {} : { dtype: known }),
    shape: lengths,
    byteOffset: headerByteLength + begin,
    byteLength: end - begin,
  }
}

function integers(value: StrictJson | undefined, where: string): number[] {
  if (!Array.isArray(value)) return fail(`${where} must be a list of integers, but found ${show(value)}.`)
  for (const item of value) {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0) {
      fail(`${where} must hold integers from 0 to 2^53 - 1, but found ${show(item)}.`)
    }
  }
  return value as number[]
}
