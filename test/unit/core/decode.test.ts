// Bytes of every dtype read as float32, and the bins that statistics count them in.
import { describe, expect, test } from 'vitest'
import { decodeFloat32, viewFloat32 } from '../../../src/core/decode.js'
import { bfloat16ToNumber, float16ToNumber } from '../../../src/core/half.js'
import { BinFinder, binOf } from '../../../src/statistics/bins.js'
import { seededWords } from '../../support/seeded.js'

describe('decodeFloat32', () => {
  test.each([
    ['float16', float16ToNumber],
    ['bfloat16', bfloat16ToNumber],
  ] as const)('all patterns of %s, also where they begin at an odd byte', (dtype, decode) => {
    const halves = Uint16Array.from({ length: 2 ** 16 }, (_, pattern) => pattern)
    const shifted = new Uint8Array(2 ** 17 + 1)
    shifted.set(new Uint8Array(halves.buffer), 1)
    for (const bytes of [new Uint8Array(halves.buffer), shifted.subarray(1)]) {
      const decoded = decodeFloat32(bytes, dtype)
      expect(decoded).toHaveLength(2 ** 16)
      expect([...halves].filter((half) => !Object.is(decoded[half], decode(half)))).toEqual([])
    }
  })

  test('is a copy, and viewFloat32 none where it need not be', () => {
    const values = Float32Array.of(1, -0, Number.NaN, 3e38)
    const bytes = new Uint8Array(values.buffer)
    const shifted = new Uint8Array(17)
    shifted.set(bytes, 1)
    expect(decodeFloat32(bytes, 'float32').buffer).not.toBe(values.buffer)
    expect(viewFloat32(bytes, 'float32').buffer).toBe(values.buffer)
    for (const decoded of [decodeFloat32(bytes, 'float32'), viewFloat32(shifted.subarray(1), 'float32')]) {
      expect(decoded).toEqual(values)
    }
  })
})

describe('BinFinder finds the bin of a search', () => {
  const next = seededWords(33)
  test.each([
    ['63 of a normal distribution', Array.from({ length: 63 }, (_, i) => Math.tanh((i - 31) / 20) * 0.05)],
    ['many in one octave', Array.from({ length: 63 }, (_, i) => 1 + i / 64)],
    ['one at 0', [0]],
    ['subnormals and the largest', [-3.4028234663852886e38, -1e-45, 0, 1e-45, 1e-40, 3.4028234663852886e38]],
  ])('%s', (_, list) => {
    const edges = Float32Array.from(list)
    const finder = new BinFinder(edges)
    const float = new Float32Array(1)
    const bits = new Uint32Array(float.buffer)
    const edgeBits = new Uint32Array(edges.buffer)
    const near = [...edgeBits].flatMap((b) => [b - 1, b, b + 1].map((w) => w >>> 0))
    const weights = Array.from({ length: 50_000 }, () => ((next() & 0x83ffffff) | 0x3c000000) >>> 0)
    for (const pattern of [0, 0x80000000, ...near, ...weights, ...Array.from({ length: 50_000 }, next)]) {
      if ((pattern & 0x7f800000) === 0x7f800000) continue
      bits[0] = pattern
      const x = float[0]!
      if (finder.find(x, pattern) !== binOf(x, edges)) expect.fail(`${x}: bin ${finder.find(x, pattern)}`)
    }
  })
})
