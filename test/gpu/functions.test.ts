// Every shader function against its known answers and its TypeScript reference.
import { describe, expect, test } from 'vitest'
import { floatDTypes, floatFormats } from '../../src/core/dtype.js'
import { roundSlots } from '../../src/gpu/shaders/pipeline-key.js'
import { boxMuller, direction, radius } from '../../src/random/normal.js'
import { multiplyHigh, philox4x32 } from '../../src/random/philox.js'
import { distanceToHalf } from '../../src/random/truncated-normal.js'
import { adapterName, mapOnGpu, testWords, useDevice } from '../support/gpu.js'
import known from '../vectors/random123.json' with { type: 'json' }

const gpu = useDevice()
const EDGES = [0, 1, 2, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0xfffffffe, 0x1fffffff, 0x20000000, 0x3fffffff]
EDGES.push(0x40000000, 0x5fffffff, 0x60000000, 0x9fffffff, 0xa0000000, 0xbfffffff, 0xc0000000, 0xdfffffff, 0xe0000000)

/** Edge pairs first, then seeded words. */
function wordPairs(count: number): Uint32Array {
  const words = testWords(count * 4, 7)
  let at = 0
  for (const x of EDGES) {
    for (const y of EDGES) {
      words[at] = x
      words[at + 1] = y
      at += 4
    }
  }
  return words
}

const bits = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0]!

/** Where a product of limbs may carry. */
const edges = [
  0, 1, 2, 0x7fff, 0x8000, 0xffff, 0x10000, 0x10001, 0x1ffff, 0x7fffffff, 0x80000000, 0x80008000, 0xffff0000,
  0xffff0001, 0xfffeffff, 0xfffffffe, 0xffffffff,
]

describe(`shader functions on ${adapterName}`, () => {
  test('philox4x32 gives the Random123 known answers', async () => {
    for (const { ctr, key, out } of known.vectors) {
      const counter = ctr.map((hex) => `0x${hex}u`).join(',')
      const input = Uint32Array.from([...key.map((hex) => Number.parseInt(hex, 16)), 0, 0])
      const words = await mapOnGpu(
        gpu.device,
        ['random/philox'],
        `return philox4x32(vec4<u32>(${counter}) ^ vec4<u32>(zero), x.xy);`,
        input,
      )
      expect([...words].map((w) => w.toString(16).padStart(8, '0'))).toEqual(out)
    }
  })

  test('distanceToHalf equals its CPU reference: every length, ties, every shift', async () => {
    const words = testWords(4 * 32768, 11)
    for (let i = 0; i < words.length; i += 4) {
      const [any = 0, at = 0, kind = 0] = words.subarray(i, i + 3)
      const shift = kind % 3 === 0 ? at % 57 : 0
      // 2^63 less something of every length, in a third of them with a tail of zeros or ones: ties and their neighbours.
      const length = BigInt(at % 63) + 1n
      let distance = ((1n << length) | (BigInt(any) << 31n) | BigInt(words[i + 3]!)) & ((1n << length) - 1n)
      if (kind % 3 === 1 && length > 26n)
        distance = ((distance >> (length - 25n)) << (length - 25n)) + BigInt(at % 3) - 1n
      const p = shift > 0 ? (BigInt(any) << 32n) | BigInt(words[i + 3]!) : 2n ** 63n - (distance > 0n ? distance : 1n)
      words.set([Number(p >> 32n), Number(p & 0xffff_ffffn), shift], i)
    }
    const body = 'return vec4<u32>(bitcast<u32>(distanceToHalf(x.x, x.y, x.z)), x.yzw);'
    const found = await mapOnGpu(gpu.device, ['distributions/truncated_normal'], body, words)
    for (let i = 0; i < words.length; i += 4) {
      const [high = 0, low = 0, shift = 0] = words.subarray(i, i + 3)
      expect([high, low, shift, found[i]]).toEqual([high, low, shift, bits(distanceToHalf(high, low, shift))])
    }
  })

  test('philox4x32 equals its CPU reference for any counter and key', async () => {
    const input = testWords(4 * 65536, 3)
    const words = await mapOnGpu(gpu.device, ['random/philox'], 'return philox4x32(x, x.zw ^ x.xy);', input)
    const expected = new Uint32Array(4)
    for (let i = 0; i < input.length; i += 4) {
      const [a = 0, b = 0, c = 0, d = 0] = input.subarray(i, i + 4)
      philox4x32(expected, a, b, c, d, c ^ a, d ^ b)
      if (expected.some((word, j) => word !== words[i + j]))
        expect([...words.subarray(i, i + 4)]).toEqual([...expected])
    }
  })

  test('philoxBlock equals philox4x32 with two zero counter words, over low and high words and their edges', async () => {
    const input = testWords(4 * 65536, 5)
    for (let i = 0; i < 4 * edges.length ** 2; i += 4) {
      input[i] = edges[(i >> 2) % edges.length]!
      input[i + 1] = edges[Math.floor((i >> 2) / edges.length)]!
    }
    const body = 'return philoxBlock(x.x, philoxHighWord(x.y, x.zw), x.zw);'
    const words = await mapOnGpu(gpu.device, ['random/philox'], body, input)
    const expected = new Uint32Array(4)
    for (let i = 0; i < input.length; i += 4) {
      const [low = 0, high = 0, key0 = 0, key1 = 0] = input.subarray(i, i + 4)
      philox4x32(expected, low, high, 0, 0, key0, key1)
      if (expected.some((word, j) => word !== words[i + j]))
        expect([...words.subarray(i, i + 4)]).toEqual([...expected])
    }
  })

  test('multiplyHigh, and by the constants of Philox, equals its CPU reference', async () => {
    const input = wordPairs(65536)
    for (let i = 0; i < edges.length; i++) input[4 * i] = edges[i]!
    const body = 'return vec4<u32>(multiplyHigh(x.x, x.y), multiplyHighM0(x.x), multiplyHighM1(x.x), 0u);'
    const out = await mapOnGpu(gpu.device, ['random/philox'], body, input)
    for (let i = 0; i < input.length; i += 4) {
      const [a = 0, b = 0] = input.subarray(i, i + 2)
      const expected = [multiplyHigh(a, b), multiplyHigh(a, 0xd2511f53), multiplyHigh(a, 0xcd9e8d57), 0]
      if (expected.some((word, j) => word !== out[i + j]))
        expect([a, b, ...out.subarray(i, i + 4)]).toEqual([a, b, ...expected])
    }
  })

  test('radius, direction and boxMuller equal their references in every bit', async () => {
    const input = wordPairs(1 << 20)
    const body =
      'let d = direction(x.y, zero); let z = boxMuller(x.x, x.y, zero);' +
      'return bitcast<vec4<u32>>(vec4<f32>(radius(x.x, zero), d.x, z));'
    const out = await mapOnGpu(gpu.device, ['random/normal'], body, input)
    const pair = new Float32Array(2)
    const pairBits = new Uint32Array(pair.buffer)
    const wrong = { radius: 0, direction: 0, boxMuller: 0 }
    for (let i = 0; i < input.length; i += 4) {
      if (out[i] !== bits(radius(input[i]!))) wrong.radius++
      direction(pair, input[i + 1]!)
      if (out[i + 1] !== pairBits[0]) wrong.direction++
      boxMuller(pair, input[i]!, input[i + 1]!)
      if (out[i + 2] !== pairBits[0] || out[i + 3] !== pairBits[1]) wrong.boxMuller++
    }
    expect(wrong).toEqual({ radius: 0, direction: 0, boxMuller: 0 })
  })

  test.each(floatDTypes)(
    'roundToDType for %s equals its reference: every exponent, ties and their neighbours',
    async (dtype) => {
      const { encode: reference } = floatFormats[dtype]
      const { round } = roundSlots(dtype)
      // Every tie of every dtype: one fraction bit below those that are left, after an even and an odd one.
      const ties = Array.from({ length: 23 }, (_, bit) => [1 << bit, 3 << bit]).flat()
      const edges = [0, ...ties.flatMap((tie) => [tie - 1, tie, tie + 1]), 0x7fffff].map((bits) => bits & 0x7fffff)
      const values: number[] = []
      for (let exponent = 0; exponent < 255; exponent++) {
        for (const mantissa of new Set(edges)) {
          for (const sign of [0, 0x80000000]) values.push((sign | (exponent << 23) | mantissa) >>> 0)
        }
      }
      for (const word of testWords(1 << 16, 5)) if ((word & 0x7f800000) !== 0x7f800000) values.push(word)
      const input = new Uint32Array(values.length * 4)
      values.forEach((value, i) => {
        input[4 * i] = value
      })
      const out = await mapOnGpu(gpu.device, [round!], 'return vec4<u32>(roundToDType(x.x), 0u, 0u, 0u);', input)
      const wrong = values.filter((value, i) => out[4 * i] !== reference(value))
      expect(wrong).toEqual([])
    },
  )
})
