// A reader of .safetensors written from the format's description alone; it shares no code with the library.

export interface Tensor {
  readonly dtype: string
  readonly shape: readonly number[]
  /** Relative to the end of the header. */
  readonly offsets: readonly [number, number]
  readonly bytes: Uint8Array
}

export interface Safetensors {
  readonly names: readonly string[]
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: Readonly<Record<string, string>>
}

const bytesPerElement: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, I64: 8, BOOL: 1 }

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invalid .safetensors: ${message}`)
}

/** Parses and refuses whatever the format forbids: gaps, overlaps, wrong lengths, metadata that is not text. */
export function parseSafetensors(file: Uint8Array): Safetensors {
  demand(file.length >= 8, `only ${file.length} bytes`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const headerLength = Number(view.getBigUint64(0, true))
  demand(headerLength <= 100_000_000, `header of ${headerLength} bytes`)
  demand(8 + headerLength <= file.length, `header of ${headerLength} bytes in a file of ${file.length}`)
  demand(headerLength % 8 === 0, `header length ${headerLength} leaves the data unaligned`)
  demand(file[8] === 0x7b, 'the header does not begin with {')
  const { __metadata__: metadata = {}, ...table } = JSON.parse(
    new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + headerLength)),
  )
  for (const [key, value] of Object.entries(metadata)) demand(typeof value === 'string', `metadata ${key} is not text`)
  const data = file.subarray(8 + headerLength)
  const tensors = new Map<string, Tensor>()
  for (const [name, entry] of Object.entries(table) as [string, Record<string, unknown>][]) {
    const {
      dtype,
      shape,
      data_offsets: offsets,
      ...surplus
    } = entry as {
      dtype: string
      shape: number[]
      data_offsets: [number, number]
    }
    demand(Object.keys(surplus).length === 0, `${name} has unknown keys ${Object.keys(surplus)}`)
    const width = bytesPerElement[dtype]
    demand(width !== undefined, `${name} has dtype ${dtype}`)
    demand(Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n > 0), `${name} has shape ${shape}`)
    const [start, end] = offsets
    demand(
      end - start === width * shape.reduce((a, b) => a * b, 1),
      `${name} has ${end - start} bytes for ${dtype} ${shape}`,
    )
    tensors.set(name, { dtype, shape, offsets: [start, end], bytes: data.subarray(start, end) })
  }
  let at = 0
  for (const [name, { offsets }] of [...tensors].sort(([, a], [, b]) => a.offsets[0] - b.offsets[0])) {
    demand(offsets[0] === at, `${name} begins at ${offsets[0]}, not at ${at}`)
    at = offsets[1]
  }
  demand(at === data.length, `the tensors end at ${at}, the file at ${data.length}`)
  return { names: [...tensors.keys()], tensors, metadata }
}

/** A tensor's values as numbers, decoded by arithmetic. */
export function valuesOf({ dtype, bytes }: Tensor): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (dtype === 'F32') return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true))
  const [exponentBits, mantissaBits] = dtype === 'F16' ? [5, 10] : [8, 7]
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const word = view.getUint16(2 * i, true)
    const sign = word >> 15 ? -1 : 1
    const exponent = (word >> mantissaBits) & (2 ** exponentBits - 1)
    const mantissa = word & (2 ** mantissaBits - 1)
    const bias = 2 ** (exponentBits - 1) - 1
    if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits)
    return sign * (1 + mantissa * 2 ** -mantissaBits) * 2 ** (exponent - bias)
  })
}
