// Weights in the caller's own ArrayBuffers: where they lie, and every region that is refused.
import { describe, expect, test } from 'vitest'
import { initializeModel, linear, type TargetRegion } from '../../../src/index.js'
import { expectRefusal } from '../../support/refusal.js'

const cpu = { device: 'cpu', seed: 33 } as const
const model = linear(5, 3)
const into = (regions: Record<string, unknown>) =>
  initializeModel(model, 'normal', {}, { ...cpu, into: regions as Record<string, TargetRegion> })
const expected = async (): Promise<Uint8Array> => (await initializeModel(model, 'normal', {}, cpu)).readBytes('weight')

describe('the caller’s own memory', () => {
  test.each<[string, () => { region: TargetRegion; buffer: ArrayBuffer; at: number }]>([
    [
      'an ArrayBuffer',
      () => {
        const buffer = new ArrayBuffer(60)
        return { region: { buffer }, buffer, at: 0 }
      },
    ],
    [
      'an ArrayBuffer at an offset',
      () => {
        const buffer = new ArrayBuffer(100)
        return { region: { buffer, byteOffset: 36 }, buffer, at: 36 }
      },
    ],
    [
      'a Float32Array',
      () => {
        const view = new Float32Array(15)
        return { region: { buffer: view }, buffer: view.buffer, at: 0 }
      },
    ],
    [
      'a view that begins inside its buffer, at an offset',
      () => {
        const buffer = new ArrayBuffer(128)
        return { region: { buffer: new Uint8Array(buffer, 16, 100), byteOffset: 8 }, buffer, at: 24 }
      },
    ],
    [
      'a DataView',
      () => {
        const buffer = new ArrayBuffer(64)
        return { region: { buffer: new DataView(buffer, 4) }, buffer, at: 4 }
      },
    ],
  ])('%s takes the same bytes, and nothing beside them is touched', async (_, make) => {
    const { region, buffer, at } = make()
    new Uint8Array(buffer).fill(0xa5)
    const weights = await into({ weight: region })
    expect(weights.get('weight')).toMatchObject({ byteOffset: at, byteLength: 60 })
    expect(weights.get('weight').buffer).toBe(buffer)
    const all = new Uint8Array(buffer)
    expect(all.slice(at, at + 60)).toEqual(await expected())
    for (const [index, byte] of all.entries()) if (index < at || index >= at + 60) expect(byte).toBe(0xa5)
    expect(await weights.readBytes('weight')).toEqual(await expected())
    expect((await weights.verify()).ok).toBe(true)
    expect((await weights.statistics()).get('weight')?.count).toBe(15)
  })

  test('stays after destroy', async () => {
    const buffer = new ArrayBuffer(60)
    const weights = await into({ weight: { buffer } })
    weights.destroy()
    expect(new Uint8Array(buffer)).toEqual(await expected())
  })

  test('may hold several parameters, and be given as a Map', async () => {
    const buffer = new ArrayBuffer(72)
    const regions = new Map<string, TargetRegion>([
      ['bias', { buffer, byteOffset: 0 }],
      ['weight', { buffer, byteOffset: 12 }],
    ])
    const weights = await initializeModel(model, 'normal', {}, { ...cpu, into: regions })
    expect(new Uint8Array(buffer, 12)).toEqual(await expected())
    expect([...new Float32Array(buffer, 0, 3)]).toEqual([0, 0, 0])
    expect(weights.get('bias').buffer).toBe(weights.get('weight').buffer)
  })

  test('of an odd count of 16-bit values needs no padding', async () => {
    const buffer = new ArrayBuffer(30)
    const weights = await initializeModel(
      model,
      'normal',
      {},
      { ...cpu, dtype: 'float16', into: { weight: { buffer } } },
    )
    expect(await weights.readBytes('weight')).toEqual(new Uint8Array(buffer))
  })
})

describe('refused, and left as it was', () => {
  const shared = new SharedArrayBuffer(60)
  test.each<[string, Record<string, unknown>, string[]]>([
    ['one byte too small', { weight: { buffer: new ArrayBuffer(59) } }, ['"weight"', '60', '59']],
    ['too small at its offset', { weight: { buffer: new ArrayBuffer(60), byteOffset: 4 } }, ['"weight"', '64', '60']],
    [
      'a view that is too small',
      { weight: { buffer: new Uint8Array(new ArrayBuffer(100), 0, 59) } },
      ['"weight"', '59'],
    ],
    [
      'an offset that is no multiple of 4',
      { weight: { buffer: new ArrayBuffer(100), byteOffset: 2 } },
      ['"weight"', '2', 'multiple of 4'],
    ],
    ['a negative offset', { weight: { buffer: new ArrayBuffer(100), byteOffset: -4 } }, ['"weight"', '-4']],
    ['a fractional offset', { weight: { buffer: new ArrayBuffer(100), byteOffset: 0.5 } }, ['"weight"', '0.5']],
    ['an offset that is no number', { weight: { buffer: new ArrayBuffer(100), byteOffset: '4' } }, ['"weight"', '"4"']],
    ['no buffer', { weight: {} }, ['"weight"', 'undefined', 'ArrayBuffer']],
    ['an array', { weight: { buffer: [1, 2, 3] } }, ['"weight"', '[1,2,3]']],
    ['shared memory', { weight: { buffer: shared } }, ['"weight"', 'ArrayBuffer']],
    ['a view of shared memory', { weight: { buffer: new Uint8Array(shared) } }, ['"weight"', 'ArrayBuffer']],
    ['a region that is null', { weight: null }, ['"weight"', 'null']],
    ['a buffer in the region’s place', { weight: new ArrayBuffer(60) }, ['"weight"']],
    ['a name that the model does not have', { wieght: { buffer: new ArrayBuffer(60) } }, ['"wieght"']],
  ])('%s', async (_, regions, fragments) => {
    const bystander = new Uint8Array(12).fill(0x5a)
    await expectRefusal(() => into({ bias: { buffer: bystander }, ...regions }), 'INVALID_BUFFER', ...fragments)
    expect(new Set(bystander)).toEqual(new Set([0x5a]))
  })

  test('two parameters that overlap', async () => {
    const buffer = new ArrayBuffer(100)
    const act = () => into({ weight: { buffer, byteOffset: 8 }, bias: { buffer, byteOffset: 0 } })
    await expectRefusal(act, 'INVALID_BUFFER', '"weight"', '"bias"')
    expect(new Set(new Uint8Array(buffer))).toEqual(new Set([0]))
  })

  test('a detached buffer', async () => {
    const buffer = new ArrayBuffer(60)
    structuredClone(buffer, { transfer: [buffer] })
    await expectRefusal(() => into({ weight: { buffer } }), 'INVALID_BUFFER', '"weight"')
  })

  test.each<[string, unknown]>([
    ['a string', 'weight'],
    ['null', null],
    ['a number', 5],
  ])('into of %s', async (_, regions) => {
    const act = () => initializeModel(model, 'normal', {}, { ...cpu, into: regions as Record<string, TargetRegion> })
    await expectRefusal(act, 'INVALID_ARGUMENT', 'into')
  })

  test('a tied parameter has no memory of its own', async () => {
    const tied = {
      parameters: [
        { name: 'w', shape: [3, 5] },
        { name: 't', shape: [3, 5], tiedTo: 'w' },
      ],
    }
    const act = () => initializeModel(tied, 'normal', {}, { ...cpu, into: { t: { buffer: new ArrayBuffer(60) } } })
    await expectRefusal(act, 'INVALID_BUFFER', '"t"')
  })
})
