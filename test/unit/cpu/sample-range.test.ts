// The CPU's samplers element by element: PyTorch's stateless values, counters that carry, and ranges that begin anywhere.
import { describe, expect, test } from 'vitest'
import type { DType } from '../../../src/core/dtype.js'
import { fillBytes } from '../../../src/cpu/fill.js'
import { sampleRange } from '../../../src/cpu/samplers.js'
import { constantPattern } from '../../../src/distributions/constant.js'
import type { Distribution } from '../../../src/ir/distribution.js'
import type { FillJob, FillSource } from '../../../src/ir/job.js'
import { boxMuller } from '../../../src/random/normal.js'
import { uniformConstants, uniformValue } from '../../../src/random/uniform.js'
import { randomDistributions } from '../../support/distributions.js'
import { bitsOf, floatOf, statelessRows } from '../../support/golden/vectors.js'
import { samplerSource } from '../../support/parameters.js'
import { blockReference } from '../../support/references/philox.js'

type Drawn = Exclude<Distribution, { kind: 'constant' }>
type Sampled = FillSource & { kind: 'sampler' }
interface At {
  readonly key: bigint
  readonly counter: bigint
}

const source = (distribution: Drawn, { key, counter }: At): Sampled => samplerSource(distribution, { key, counter })
const unit = { kind: 'uniform', low: 0, high: 1 } as const

describe.each(statelessRows())('torch.func._random %s', (_, row) => {
  test('its unit uniforms, bit for bit', () => {
    expect(bitsOf(sampleRange(source(unit, row), 0, row.uniform.length))).toEqual(row.uniform)
  })

  test('its uniform(-0.07, 0.07), bit for bit: one rounding is what its fused multiply-add gives', () => {
    const distribution: Drawn = { kind: 'uniform', low: -0.07, high: 0.07 }
    expect(bitsOf(sampleRange(source(distribution, row), 0, row.uniform007.length))).toEqual(row.uniform007)
  })

  test('its words', () => {
    const words = Array.from({ length: 5 }, (__, block) => blockReference(row, BigInt(block))).flat()
    expect(words.slice(0, row.bits.length)).toEqual(row.bits)
  })

  test('its normals within 2e-6: cosine first, pairs from words 0, 1 and 2, 3', () => {
    const got = sampleRange(source({ kind: 'normal', mean: 0, std: 1 }, row), 0, row.normal.length)
    row.normal.forEach((bits, i) => {
      expect(Math.abs(got[i]! - floatOf(bits))).toBeLessThan(2e-6)
    })
  })
})

type Plain = Extract<Distribution, { kind: 'uniform' | 'normal' }>
const plainDistributions = Object.entries(randomDistributions).filter(
  (entry): entry is [string, Plain] => entry[1].kind === 'uniform' || entry[1].kind === 'normal',
)

/** Value contract 1 one element at a time: word i mod 4 of block i div 4 for uniforms, pairs of words for normals. */
function contractElement(distribution: Plain, at: At, i: number): number {
  const words = blockReference(at, BigInt(Math.floor(i / 4)))
  if (distribution.kind === 'uniform')
    return uniformValue(words[i % 4]!, uniformConstants(distribution.low, distribution.high))
  const pair = new Float32Array(2)
  const first = (i % 4) - (i % 2)
  boxMuller(pair, words[first]!, words[first + 1]!)
  return Math.fround(Math.fround(pair[i % 2]! * Math.fround(distribution.std)) + Math.fround(distribution.mean))
}

const offsets: [string, At][] = [
  ['0', { key: 0n, counter: 0n }],
  ['2^32 - 1: the low word carries', { key: 42n, counter: 2n ** 32n - 1n }],
  ['2^32 - 2', { key: 0xdeadbeefcafebaben, counter: 2n ** 32n - 2n }],
  ['2^64 - 1: the counter wraps', { key: 42n, counter: 2n ** 64n - 1n }],
  ['2^64 - 2', { key: 2n ** 64n - 1n, counter: 2n ** 64n - 2n }],
  ['2^63 + 2^32 - 1', { key: 7n, counter: 2n ** 63n + 2n ** 32n - 1n }],
]

describe.each(offsets)('stream offset %s', (_, at) => {
  test.each(plainDistributions)('%s: every element is its own block and word', (__, distribution) => {
    const got = sampleRange(source(distribution, at), 0, 21)
    const expected = Float32Array.from({ length: 21 }, (___, i) => contractElement(distribution, at, i))
    expect(bitsOf(got)).toEqual(bitsOf(expected))
  })
})

test('elements past 2^32 blocks into a parameter carry too', () => {
  const at: At = { key: 5n, counter: 3n }
  const first = 4 * 2 ** 32 - 6
  const got = sampleRange(source(unit, at), first, 16)
  const expected = Float32Array.from({ length: 16 }, (_, i) => contractElement(unit, at, first + i))
  expect(bitsOf(got)).toEqual(bitsOf(expected))
})

describe.each(plainDistributions)(
  '%s: an element has its value wherever a range begins and ends',
  (_, distribution) => {
    const from = source(distribution, { key: 11n, counter: 2n ** 32n - 2n })
    const whole = bitsOf(sampleRange(from, 0, 32))

    test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('first %d, counts 1 to 9', (first) => {
      for (let count = 1; count <= 9; count++) {
        expect(bitsOf(sampleRange(from, first, count))).toEqual(whole.slice(first, first + count))
      }
    })
  },
)

describe.each<[DType, number]>([
  ['float32', 4],
  ['float16', 2],
  ['bfloat16', 2],
])('fillBytes %s', (dtype, width) => {
  const job: FillJob = {
    name: 'w',
    dtype,
    firstElement: 0,
    elementCount: 32,
    source: source({ kind: 'normal', mean: 0, std: 0.02 }, { key: 3n, counter: 9n }),
    patches: [],
  }
  const whole = fillBytes(job, 0, 32)

  test('has the dtype’s bytes', () => {
    expect(whole).toHaveLength(32 * width)
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('from element %d, counts 1 to 9, a slice of the whole', (first) => {
    for (let count = 1; count <= 9; count++) {
      expect([...fillBytes(job, first, count)]).toEqual([...whole.subarray(first * width, (first + count) * width)])
    }
  })

  test('a job that starts inside the parameter counts from there', () => {
    const part = { ...job, firstElement: 5, elementCount: 10 }
    expect([...fillBytes(part, 2, 7)]).toEqual([...whole.subarray(7 * width, 14 * width)])
  })
})

describe('fillBytes of constants', () => {
  test.each<[DType, number, number[]]>([
    ['float32', 1, [0, 0, 0x80, 0x3f]],
    ['float32', -0.1, [0xcd, 0xcc, 0xcc, 0xbd]],
    ['float16', 1, [0, 0x3c]],
    ['float16', 0.1, [0x66, 0x2e]],
    ['bfloat16', 1, [0x80, 0x3f]],
    ['bfloat16', -2.5, [0x20, 0xc0]],
    ['int64', -2, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['uint64', 2 ** 40 + 1, [1, 0, 0, 0, 0, 1, 0, 0]],
    ['int32', -1, [0xff, 0xff, 0xff, 0xff]],
    ['uint32', 0x01020304, [4, 3, 2, 1]],
    ['int16', -300, [0xd4, 0xfe]],
    ['uint16', 65535, [0xff, 0xff]],
    ['int8', -128, [0x80]],
    ['uint8', 200, [200]],
    ['bool', 1, [1]],
  ])('%s %d', (dtype, value, element) => {
    const job: FillJob = {
      name: 'c',
      dtype,
      firstElement: 0,
      elementCount: 99,
      source: { kind: 'constant', pattern: constantPattern(value, dtype) },
      patches: [],
    }
    for (const count of [1, 2, 3, 5, 16, 17, 31, 99]) {
      const expected = Array.from({ length: count }, () => element).flat()
      expect([...fillBytes(job, 0, count)]).toEqual(expected)
    }
  })
})
