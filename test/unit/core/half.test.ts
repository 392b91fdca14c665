// Rounding to narrower floats and back, against their definition and real PyTorch.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { floatFormats } from '../../../src/core/dtype.js'
import { float32Bits, float32ToBfloat16, float32ToFloat16 } from '../../../src/core/half.js'
import { floatOf } from '../../support/golden/vectors.js'
import { magnitudes, narrowFormats, nearestPattern } from '../../support/references/half.js'
import { seededWords } from '../../support/seeded.js'
import torch from '../../vectors/torch_float8.json' with { type: 'json' }

describe.each(narrowFormats.map((format) => [format.name, format] as const))('%s', (name, format) => {
  const { encode, decode } = floatFormats[name]
  const sign = 2 ** (format.bits - 1)
  const table = magnitudes(format)
  const nearest = nearestPattern(format)
  /** Behind the last finite one: infinity where there is one, then NaN. */
  const beyond = table.length

  /** Inputs whose pattern differs from the nearest value's. */
  const wrong = (values: Iterable<number>): string[] => {
    const found: string[] = []
    for (const value of values) {
      const bits = float32Bits(value)
      if (encode(bits) !== nearest(value)) found.push(`${value}: ${encode(bits)}, not ${nearest(value)}`)
      if (found.length === 5) break
    }
    return found
  }

  test('all patterns decode to what they mean', () => {
    for (let pattern = 0; pattern < sign; pattern++) {
      const expected =
        pattern < beyond ? table[pattern]! : pattern === beyond && !format.saturates ? Infinity : Number.NaN
      if (!Object.is(decode(pattern), expected))
        expect.fail(`${pattern} decodes to ${decode(pattern)}, not ${expected}`)
      const negative = Number.isNaN(expected) ? expected : -expected
      if (!Object.is(decode(pattern | sign), negative)) expect.fail(`${pattern | sign} is ${decode(pattern | sign)}`)
    }
  })

  test('all finite patterns, both signs, come back', () => {
    for (let pattern = 0; pattern < beyond; pattern++) {
      for (const half of [pattern, pattern | sign]) {
        if (encode(float32Bits(decode(half))) !== half)
          expect.fail(`${half} comes back as ${encode(float32Bits(decode(half)))}`)
      }
    }
  })

  test('every midpoint of two neighbours goes to the even one, and its float32 neighbours to the nearer', () => {
    const inputs: number[] = []
    for (let i = 0; i + 1 < table.length; i++) {
      const middle = (table[i]! + table[i + 1]!) / 2
      // bfloat16's smallest midpoints lie below the smallest float32.
      if (Math.fround(middle) !== middle) continue
      const bits = float32Bits(middle)
      for (const b of [bits - 1, bits, bits + 1]) inputs.push(floatOf(b), -floatOf(b))
    }
    expect(inputs.length).toBeGreaterThan(5 * beyond)
    expect(wrong(inputs)).toEqual([])
  })

  test('300,000 random finite float32 values', () => {
    const next = seededWords(12)
    const inputs = Array.from({ length: 300_000 }, () => floatOf(next())).filter(Number.isFinite)
    expect(wrong(inputs)).toEqual([])
  })

  test('200,000 values of the sizes that weights have', () => {
    const next = seededWords(13)
    const inputs = Array.from({ length: 200_000 }, () => Math.fround((next() / 2 ** 31 - 1) * 2 ** -(next() % 30)))
    expect(wrong(inputs)).toEqual([])
  })
})

describe('float16 edges', () => {
  test.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99609375, 0x7bff],
    [65520, 0x7c00],
    [-65519.99609375, 0xfbff],
    [-65520, 0xfc00],
    [3.4028234663852886e38, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [2 ** -14 - 2 ** -25, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 + 2 ** -48, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [-(2 ** -25), 0x8000],
    [2 ** -149, 0x0000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -11, 0x4000],
  ])('%d', (value, pattern) => {
    expect(float32ToFloat16(float32Bits(value)).toString(16)).toBe(pattern.toString(16))
  })
})

describe('bfloat16 edges', () => {
  test.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3f80],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [2 - 2 ** -8, 0x4000],
    [3.3895313892515355e38, 0x7f7f],
    [floatOf(0x7f7f7fff), 0x7f7f],
    [floatOf(0x7f7f8000), 0x7f80],
    [-floatOf(0x7f7f8000), 0xff80],
    [floatOf(0x00008000), 0x0000],
    [floatOf(0x00008001), 0x0001],
    [floatOf(0x00018000), 0x0002],
    [-1.5, 0xbfc0],
  ])('%d', (value, pattern) => {
    expect(float32ToBfloat16(float32Bits(value)).toString(16)).toBe(pattern.toString(16))
  })
})

describe('float8 is what real PyTorch makes', () => {
  // Every upper half of a float32 with three lower halves: every tie and both its neighbours, infinities, NaN.
  const inputs = [0, 1, 0xffff].flatMap((low) => Array.from({ length: 2 ** 16 }, (_, upper) => upper * 2 ** 16 + low))

  test.each(['float8_e4m3fn', 'float8_e5m2'] as const)('%s', (dtype) => {
    const { encode, decode } = floatFormats[dtype]
    const { encoded, decoded } = torch[dtype]
    const isNoNumber = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000
    // PyTorch's sign of NaN is that of the input, as here.
    expect(createHash('sha256').update(Uint8Array.from(inputs, encode)).digest('hex')).toBe(encoded)
    expect(inputs.filter(isNoNumber).length).toBeGreaterThan(700)
    decoded.forEach((hex, byte) => {
      const value = decode(byte)
      if (hex === 'nan') expect(value).toBeNaN()
      else expect((float32Bits(value) >>> 0).toString(16).padStart(8, '0')).toBe(hex)
    })
  })
})

test('float32Bits rounds to the nearest float32', () => {
  expect(float32Bits(0.1)).toBe(0x3dcccccd)
  expect(float32Bits(-1)).toBe(0xbf800000)
  expect(float32Bits(1 + 2 ** -24)).toBe(0x3f800000)
})
