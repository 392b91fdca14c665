// A parameter in several of the caller's buffers: the same bytes, in order, and every mistake refused.
import { describe, expect, test } from 'vitest'
import { initializeModel, type TargetRegion } from '../../../src/index.js'
import { expectRefusal } from '../../support/refusal.js'

const cpu = { device: 'cpu', seed: 33 } as const
const model = { parameters: [{ name: 'w', shape: [5, 7] }] }
const into = (w: unknown, dtype: 'float32' | 'float16' = 'float32') =>
  initializeModel(model, 'normal', {}, { ...cpu, dtype, into: { w: w as TargetRegion } })
const memory = (byteLength: number): Uint8Array => new Uint8Array(byteLength).fill(0x5a)

describe('a parameter in several of the caller’s buffers', () => {
  test.each(['float32', 'float16'] as const)('%s: the same bytes, nothing beside them', async (dtype) => {
    using whole = await initializeModel(model, 'normal', {}, { ...cpu, dtype })
    const bytes = await whole.readBytes('w')
    const buffers = [memory(20), memory(64), memory(256)]
    const last = bytes.length - 28
    const held = await into(
      {
        segments: [
          { buffer: buffers[0], byteOffset: 8 },
          { buffer: buffers[1]!.buffer, byteOffset: 4, byteLength: 16 },
          { buffer: new DataView(buffers[2]!.buffer, 12), byteOffset: 4 },
        ],
      },
      dtype,
    )
    const { segments } = held.get('w')
    const places = segments.map((s) => [s.firstElement * whole.get('w').byteLength, s.byteOffset, s.byteLength])
    const perElement = bytes.length / 35
    expect(places).toEqual([
      [0, 8, 12],
      [(12 / perElement) * bytes.length, 4, 16],
      [(28 / perElement) * bytes.length, 16, last],
    ])
    expect(() => held.get('w').buffer).toThrow(/3 buffers.*use its segments/)
    const found = [buffers[0]!.slice(8, 20), buffers[1]!.slice(4, 20), buffers[2]!.slice(16, 16 + last)]
    expect(Buffer.concat(found)).toEqual(Buffer.from(bytes))
    const untouched = [buffers[0]!.slice(0, 8), buffers[1]!.slice(20), buffers[2]!.slice(16 + last)]
    expect(new Set(Buffer.concat(untouched))).toEqual(new Set([0x5a]))
    expect(await held.readBytes('w')).toEqual(bytes)
    expect(await held.readBytes('w', 8, 28)).toEqual(bytes.slice(8, 36))
    expect(await held.verify()).toMatchObject({ ok: true, complete: true })
    expect((await held.statistics()).get('w')).toMatchObject({ count: 35, nonFiniteCount: 0 })
    buffers[2]!.set([buffers[2]![20]! ^ 1], 20)
    expect((await held.verify()).parameters[0]).toMatchObject({ mismatchCount: 1, firstMismatch: 32 / perElement })
    // The segments of a result are a region, as they are.
    const again = await into({ segments }, dtype)
    expect(await again.readBytes('w')).toEqual(bytes)
    expect((await held.verify()).ok).toBe(true)
  })

  test('one segment is a region like any other', async () => {
    const held = await into({ segments: [{ buffer: new ArrayBuffer(144), byteOffset: 4 }] })
    expect(held.get('w')).toMatchObject({ byteOffset: 4, byteLength: 140 })
    expect(held.get('w').buffer).toBeInstanceOf(ArrayBuffer)
  })

  const room = (byteLength: number) => ({ buffer: new ArrayBuffer(byteLength) })
  const shared = new ArrayBuffer(160)
  test.each<[string, unknown, string[]]>([
    ['no list', { segments: room(140) }, ['into["w"]', 'segments must be a list']],
    ['an empty list', { segments: [] }, ['into["w"]', 'not empty', '[]']],
    ['beside a buffer', { ...room(140), segments: [room(140)] }, ['into["w"]', 'not both']],
    ['beside an offset', { byteOffset: 4, segments: [room(140)] }, ['into["w"]', 'not both']],
    ['a list in the region’s place', [room(140)], ['into["w"]', 'must be an object', 'buffer']],
    ['an unknown key', { segments: [{ ...room(140), offset: 4 }] }, ['into["w"].segments[0]', '"offset"']],
    ['null', { segments: [room(100), null] }, ['into["w"].segments[1]', 'null']],
    ['a number', { segments: [7] }, ['into["w"].segments[0]', '7']],
    ['no buffer', { segments: [{ byteOffset: 0 }] }, ['segments[0]', 'undefined']],
    ['a GPUBuffer’s likeness', { segments: [{ buffer: { size: 140, usage: 132 } }] }, ['segments[0]', 'ArrayBuffer']],
    ['too few bytes', { segments: [room(100), room(36)] }, ['its 2 segments hold 136 bytes', '140']],
    [
      'too many bytes',
      { segments: [{ ...room(200), byteLength: 144 }] },
      ['segments[0]', 'from 1 to the 140 bytes', '144'],
    ],
    ['one segment too many', { segments: [room(140), room(4)] }, ['segments[1]', 'the 0 bytes', '4']],
    ['no room', { segments: [room(0), room(140)] }, ['segments[0]', 'byteLength', '0']],
    ['an offset past the end', { segments: [{ ...room(8), byteOffset: 12 }, room(140)] }, ['segments[0]', '0']],
    [
      'a length past the end',
      { segments: [{ ...room(100), byteOffset: 8, byteLength: 96 }, room(44)] },
      ['segments[0]', '96 bytes at offset 8', '104', '100'],
    ],
    [
      'a length that is no multiple of 4',
      { segments: [{ ...room(100), byteLength: 98 }, room(44)] },
      ['segments[0]', '98'],
    ],
    ['a length of text', { segments: [{ ...room(140), byteLength: '140' }] }, ['segments[0]', '"140"']],
    ['a length that is NaN', { segments: [{ ...room(140), byteLength: Number.NaN }] }, ['segments[0]', 'NaN']],
    ['a negative offset', { segments: [{ ...room(140), byteOffset: -4 }] }, ['segments[0]', '-4']],
    ['a huge offset', { segments: [{ ...room(140), byteOffset: 2 ** 60 }] }, ['segments[0]', 'byteOffset']],
    ['another place', { segments: [room(100), { ...room(40), firstElement: 24 }] }, ['segments[1]', '24', '25']],
    ['another count', { segments: [{ ...room(140), elementCount: 36 }] }, ['segments[0]', '36', '35']],
    [
      'segments that overlap',
      {
        segments: [
          { buffer: shared, byteLength: 72 },
          { buffer: shared, byteOffset: 68, byteLength: 68 },
        ],
      },
      ['into["w"].segments[1]', 'inside into["w"].segments[0]', '72'],
    ],
    ['a misspelt region', { ...room(200), offset: 8 }, ['into["w"]', '"offset"']],
  ])('refused: %s', async (_, region, fragments) => {
    new Uint8Array(shared).fill(0x5a)
    await expectRefusal(() => into(region), 'INVALID_BUFFER', ...fragments)
    expect(new Set(new Uint8Array(shared))).toEqual(new Set([0x5a]))
  })
})
