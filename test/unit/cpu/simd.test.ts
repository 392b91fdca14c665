// The WebAssembly samplers make the bits of the TypeScript ones. simd-module.slow.test.ts compiles them again.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { byteWidth, type FloatDType, floatDTypes } from '../../../src/core/dtype.js'
import { fillBytes } from '../../../src/cpu/fill.js'
import { roundValues, sampleBytes } from '../../../src/cpu/sample.js'
import { sampleRange } from '../../../src/cpu/samplers.js'
import { type RangeWriter, simdRound, simdSampler } from '../../../src/cpu/simd.js'
import { simdModule } from '../../../src/cpu/simd-module.js'
import type { Distribution } from '../../../src/ir/distribution.js'
import type { FillJob } from '../../../src/ir/job.js'
import type { Stream } from '../../../src/random/keys.js'
import { normalQuad } from '../../../src/random/normal.js'
import { truncatedNormalValue } from '../../../src/random/truncated-normal.js'
import { uniformConstants, uniformValue } from '../../../src/random/uniform.js'
import { countDifferences } from '../../support/bits.js'
import { randomDistributions } from '../../support/distributions.js'
import { samplerSource } from '../../support/parameters.js'
import { blockReference } from '../../support/references/philox.js'
import { edgeWords, seededWords } from '../../support/seeded.js'

const binary = Buffer.from(simdModule, 'hex')
const exports = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as Record<
  string,
  (...n: number[]) => void
>
const memory = (exports.memory as unknown as WebAssembly.Memory).buffer
const words = new Uint32Array(memory)
const floats = new Float32Array(memory)

/** Elements whose bits differ: -0 is not 0 here. */
const different = (a: Float32Array, b: Float32Array): number =>
  countDifferences(new Uint8Array(a.buffer), new Uint8Array(b.buffer), 4).count

describe('src/cpu/simd-module.ts', () => {
  test('is below 6 kB, imports nothing and has one page of memory for good', () => {
    expect(binary.length).toBeLessThan(6_000)
    expect(WebAssembly.Module.imports(new WebAssembly.Module(binary))).toEqual([])
    expect(memory.byteLength).toBe(2 ** 16)
    expect(() => (exports.memory as unknown as WebAssembly.Memory).grow(1)).toThrow(RangeError)
  })
})

describe('philox4x32', () => {
  test.each([
    ['0', { key: 0n, counter: 0n }],
    ['one that carries within four lanes', { key: 0xdeadbeefcafebaben, counter: 2n ** 32n - 3n }],
    ['one that wraps', { key: 2n ** 64n - 1n, counter: 2n ** 64n - 2n }],
    ['one with both halves', { key: 42n, counter: 0xfedcba9876543210n }],
  ])('counter %s: the words as the paper has them', (_, { key, counter }) => {
    const half = (value: bigint, shift: bigint): number => Number((value >> shift) & 0xffffffffn)
    exports.philox4x32!(16, half(counter, 0n), half(counter, 32n), half(key, 0n), half(key, 32n))
    const expected = Array.from({ length: 16 }, (__, block) => blockReference({ key, counter }, BigInt(block))).flat()
    expect([...words.subarray(0, 64)]).toEqual(expected)
  })
})

describe('the words at edges, and 16,000 others', () => {
  const next = seededWords(31)
  const near = edgeWords.flatMap((word) => [word - 1, word, word + 1].map((w) => w >>> 0))
  const given = Uint32Array.from({ length: 2 ** 14 }, (_, i) => near[i % 64] ?? next())
  // Pairs of every two edges.
  for (let i = 0, at = 0; i < edgeWords.length; i++) {
    for (const y of edgeWords) {
      given[at++] = edgeWords[i]!
      given[at++] = y
    }
  }

  test.each([
    [1, 0],
    [0.02, 0],
    [-1, 0.5],
    [0.37, -3.25],
    [5e37, 1e37],
    [1e-38, 0],
    [3e-45, 0],
    [1e-44, -1e-44],
  ])('normal, std %d, mean %d', (std, mean) => {
    words.set(given)
    exports.normal!(2 ** 14, std, mean)
    const expected = new Float32Array(2 ** 14)
    const constants = Float32Array.of(std, mean)
    for (let i = 0; i < 2 ** 14; i += 4) normalQuad(given.subarray(i, i + 4), constants[0]!, constants[1]!, expected, i)
    expect(different(floats, expected)).toBe(0)
  })

  test.each([
    [-0.07, 0.07],
    [0, 1],
    [-1, 0],
    [1, 1.0000002384185791],
    [-3e38, 1e37],
    [-1e-45, 1e-45],
    [0, 1e-44],
    [-1e-44, 0],
    [3e-39, 1e-38],
  ])('uniform [%d, %d)', (low, high) => {
    words.set(given)
    const distribution = uniformConstants(low, high)
    exports.uniform!(
      2 ** 14,
      distribution.scale,
      distribution.offset,
      distribution.top,
      distribution.step,
      distribution.zeroPoint,
    )
    const expected = Float32Array.from(given, (word) => uniformValue(word, distribution))
    expect(different(floats, expected)).toBe(0)
  })

  test.each([
    ['two sigma', 0, 1, -2, 2],
    ['half: a bound at 0', 0, 1, 0, Number.POSITIVE_INFINITY],
    ['the other half', 0, 0.1, Number.NEGATIVE_INFINITY, 0],
    ['all', 1, 2, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['8 sigma out, where the far tail begins', -1, 2, 15, Number.POSITIVE_INFINITY],
    ['8.4 sigma below', 0, 1, -9, -8.4],
    ['a sliver', 0, 1, -3.01, -3],
    ['huge', 1e37, 2e37, -1e38, 1e38],
    ['subnormal', 0, 1e-40, -2e-40, 1e-40],
  ])('truncated normal, %s', (_, mean, std, low, high) => {
    words.set(given)
    const { constants } = samplerSource({ kind: 'truncated-normal', mean, std, low, high })
    const real = new Float32Array(constants.buffer)
    exports.truncatedNormal!(2 ** 14, ...constants.subarray(0, 5), ...real.subarray(5, 10), constants[10]!)
    const expected = Float32Array.from(given, (word) => truncatedNormalValue(word, constants, real))
    expect(different(floats, expected)).toBe(0)
  })
})

describe.each(['float16', 'bfloat16'] as const)('rounding to %s', (dtype) => {
  test('1,000,000 finite numbers of every exponent, ties and their neighbours', () => {
    const next = seededWords(32)
    const values = new Float32Array(1_000_003)
    const given = new Uint32Array(values.buffer)
    for (let i = 0; i < given.length; i++) {
      const word = next()
      // A third are within one of a tie or a number of the dtype; a third are near float16's subnormals.
      const near = i % 3 === 0 ? ((word & 0xfffff000) + ((word & 7) - 3)) >>> 0 : word
      const scaled = i % 3 === 1 ? ((near & 0x87ffffff) | 0x30000000) >>> 0 : near
      given[i] = (scaled & 0x7f800000) === 0x7f800000 ? scaled & 0x807fffff : scaled
    }
    given.set([0, 0x80000000, 0x33000000, 0x33000001, 0x32ffffff, 0x38800000, 0x387fffff, 0x477fefff, 0x477ff000])
    given.set([0x7f7fffff, 0xff7fffff, 0x7f7f7fff, 0x7f7f8000, 1, 0x807fffff, 0x00800000], 9)
    const expected = new Uint8Array(2 * values.length)
    roundValues(values, dtype, expected)
    const actual = new Uint8Array(2 * values.length)
    expect(simdRound(values, dtype, actual)).toBe(true)
    expect(Buffer.compare(actual, expected)).toBe(0)
  })
})

const streams: readonly Stream[] = [
  { key: 0n, counter: 0n },
  { key: 0xdeadbeefcafebaben, counter: 2n ** 32n - 2n },
  { key: 2n ** 64n - 1n, counter: 2n ** 64n - 4097n },
]
/** Where a range begins: within a block, around the module's memory, and past 2^32 blocks. */
const firsts = [0, 1, 2, 3, 7, 16383, 2 ** 34 - 5, 2 ** 40 + 2]
const counts = [1, 2, 3, 4, 5, 17, 16381, 16384, 16385, 33000]

describe('every distribution, dtype, stream and range: the bytes of the TypeScript samplers', () => {
  const inSimd = Object.entries(randomDistributions).filter(([, { kind }]) => kind !== 'sparse')
  test.each(inSimd)('%s', (_, distribution) => {
    for (const stream of streams) {
      const source = samplerSource(distribution, stream)
      for (const [at, first] of firsts.entries()) {
        const longest = Math.max(...counts)
        const values = sampleRange(source, first, longest)
        for (const dtype of floatDTypes) {
          const width = byteWidth(dtype)
          const expected = new Uint8Array(longest * width)
          if (dtype === 'float32') expected.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
          else roundValues(values, dtype, expected)
          const write: RangeWriter = (at, count, target, place) =>
            sampleBytes(source, undefined, dtype, at, target.subarray(place, place + count * width))
          expect(simdSampler(source, dtype) === undefined).toBe(width === 1)
          // Every count is used with every dtype, at one of the places.
          for (const count of [counts[at]!, counts[at + 2]!, longest]) {
            const actual = new Uint8Array(count * width + 8).fill(0xa5)
            write(first, count, actual, 3)
            const where = `${dtype} [${first}, +${count}) of ${stream.key}`
            expect(Buffer.compare(actual.subarray(3, -5), expected.subarray(0, count * width)), where).toBe(0)
            expect([...actual.subarray(0, 3), ...actual.subarray(-5)], where).toEqual(new Array(8).fill(0xa5))
          }
        }
      }
    }
  })

  test('none for a distribution that only TypeScript has', () => {
    expect(simdSampler(samplerSource(randomDistributions.sparse!), 'float32')).toBeUndefined()
  })
})

describe('without WebAssembly the same bytes', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  const job = (distribution: Distribution, dtype: FloatDType): FillJob => ({
    name: 'w',
    dtype,
    firstElement: 5,
    elementCount: 20_000,
    source: samplerSource(distribution, streams[1]!),
    patches: [],
  })

  test.each([
    ['there is none', undefined],
    [
      'a content security policy forbids it, or SIMD is unknown',
      {
        Module: class {
          constructor() {
            throw new WebAssembly.CompileError('refused')
          }
        },
      },
    ],
  ])('%s', async (_, stub) => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', stub)
    const { simdSampler: absent } = await import('../../../src/cpu/simd.js')
    const { fillBytes: fallback } = await import('../../../src/cpu/fill.js')
    for (const distribution of Object.values(randomDistributions)) {
      expect(absent(samplerSource(distribution), 'float32')).toBeUndefined()
      for (const dtype of floatDTypes) {
        const one = job(distribution, dtype)
        expect(Buffer.compare(fallback(one, 3, 9_999), fillBytes(one, 3, 9_999))).toBe(0)
      }
    }
  })
})
