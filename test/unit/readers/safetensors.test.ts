// The header of safetensors files: layout, dtypes, sizes beyond 4 GiB, and what is refused.
import { describe, expect, test } from 'vitest'
import type { DType } from '../../../src/core/dtype.js'
import { layoutSafetensors, type SafetensorsEntry } from '../../../src/readers/safetensors.js'
import { expectRefusal } from '../../support/refusal.js'

interface Tensor {
  readonly dtype: string
  readonly shape: number[]
  readonly data_offsets: [number, number]
}
interface Parsed {
  readonly headerLength: number
  readonly json: string
  readonly tensors: [string, Tensor][]
  readonly metadata: Record<string, string> | undefined
}

/** Reads a header as the format's description says, from its bytes alone. */
function parse(header: Uint8Array): Parsed {
  const headerLength = Number(new DataView(header.buffer, header.byteOffset).getBigUint64(0, true))
  const json = new TextDecoder('utf-8', { fatal: true }).decode(header.subarray(8, 8 + headerLength))
  const entries = Object.entries(JSON.parse(json) as Record<string, unknown>)
  return {
    headerLength,
    json,
    tensors: entries.filter(([name]) => name !== '__metadata__') as [string, Tensor][],
    metadata: entries.find(([name]) => name === '__metadata__')?.[1] as Record<string, string> | undefined,
  }
}

const codes: [DType, string, number][] = [
  ['float32', 'F32', 4],
  ['float16', 'F16', 2],
  ['bfloat16', 'BF16', 2],
  ['float8_e4m3fn', 'F8_E4M3', 1],
  ['float8_e5m2', 'F8_E5M2', 1],
  ['int64', 'I64', 8],
  ['int32', 'I32', 4],
  ['int16', 'I16', 2],
  ['int8', 'I8', 1],
  ['uint64', 'U64', 8],
  ['uint32', 'U32', 4],
  ['uint16', 'U16', 2],
  ['uint8', 'U8', 1],
  ['bool', 'BOOL', 1],
]

/** Names that exercise JSON, UTF-8, prototypes and integer-like keys, whose order an object does not keep. */
const entries: SafetensorsEntry[] = [
  { name: 'b.weight', dtype: 'float32', shape: [3, 5] },
  { name: '10', dtype: 'float16', shape: [7] },
  { name: '2', dtype: 'bool', shape: [3] },
  { name: '__proto__', dtype: 'bfloat16', shape: [2, 1, 4] },
  { name: 'constructor', dtype: 'int64', shape: [] },
  { name: 'a "quoted" \\ name\n', dtype: 'uint8', shape: [9] },
  { name: '重み', dtype: 'int16', shape: [1] },
]

describe('the header', () => {
  const layout = layoutSafetensors(entries, { generator: 'philox', seed: '42' })
  const { headerLength, json, tensors, metadata } = parse(layout.header)
  const byOffset = [...tensors].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0])

  test('is a length and JSON, padded with spaces to a multiple of 8', () => {
    expect(layout.header).toHaveLength(8 + headerLength)
    expect(headerLength % 8).toBe(0)
    expect(json[0]).toBe('{')
    expect(json.trimEnd()).toMatch(/\}$/)
    expect(json.length - json.trimEnd().length).toBeLessThan(8)
  })

  test('lists every tensor', () => {
    expect(tensors.map(([name, { shape }]) => [name, shape]).sort()).toEqual(
      entries.map(({ name, shape }) => [name, shape]).sort(),
    )
  })

  test('offsets are contiguous from 0, and as long as the tensors', () => {
    let at = 0
    for (const [name, tensor] of byOffset) {
      const index = entries.findIndex((entry) => entry.name === name)
      const width = codes.find(([, code]) => code === tensor.dtype)?.[2] ?? Number.NaN
      const elements = entries[index]!.shape.reduce((a, b) => a * b, 1)
      expect(tensor.data_offsets).toEqual([at, at + elements * width])
      expect(layout.offsets[index]).toBe(layout.header.length + at)
      at += elements * width
    }
    expect(layout.byteLength).toBe(layout.header.length + at)
  })

  test('keeps the metadata', () => {
    expect(metadata).toEqual({ generator: 'philox', seed: '42' })
  })

  test('has no metadata where there is none', () => {
    expect(parse(layoutSafetensors(entries).header).metadata).toBeUndefined()
  })
})

test.each(codes)('%s is %s, %d bytes an element', (dtype, code, width) => {
  const layout = layoutSafetensors([{ name: 'w', dtype, shape: [2, 3] }])
  expect(parse(layout.header).tensors).toEqual([['w', { dtype: code, shape: [2, 3], data_offsets: [0, 6 * width] }]])
})

test('every length of JSON is padded right', () => {
  for (let n = 1; n <= 16; n++) {
    const { header, offsets } = layoutSafetensors([{ name: 'x'.repeat(n), dtype: 'float32', shape: [1] }])
    expect(header.length % 8).toBe(0)
    expect(offsets).toEqual([header.length])
    expect(parse(header).tensors[0]?.[0]).toBe('x'.repeat(n))
  }
})

test('tensors beyond 4 GiB', () => {
  const layout = layoutSafetensors([
    { name: 'a', dtype: 'float32', shape: [3 * 2 ** 30] },
    { name: 'b', dtype: 'float32', shape: [1] },
  ])
  expect(parse(layout.header).tensors[1]?.[1].data_offsets).toEqual([12 * 2 ** 30, 12 * 2 ** 30 + 4])
})

test('no tensors at all is a file of a header', () => {
  const layout = layoutSafetensors([])
  expect(parse(layout.header).tensors).toEqual([])
  expect(layout.byteLength).toBe(layout.header.length)
})

describe('refused', () => {
  test.each([[{}], [{ format: 'pt' }]])('the reserved name __metadata__, metadata %j', async (metadata) => {
    const act = () => layoutSafetensors([{ name: '__metadata__', dtype: 'float32', shape: [1] }], metadata)
    await expectRefusal(act, 'INVALID_MODEL', '"__metadata__"', 'reserves')
  })

  test('a name that stands twice', async () => {
    const twice = [0, 1].map(() => ({ name: 'w', dtype: 'float32' as const, shape: [1] }))
    await expectRefusal(() => layoutSafetensors(twice), 'INVALID_MODEL', '"w"', 'twice')
  })

  test('a header over the format’s 100 MB', async () => {
    // JSON writes a control character as six bytes.
    const name = '\u0001'.repeat(100_000_000 / 6)
    const act = () => layoutSafetensors([{ name, dtype: 'float32', shape: [1] }])
    await expectRefusal(act, 'LIMIT_EXCEEDED', '100000000')
  })
})
