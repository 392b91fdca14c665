// Philox4x32-10 against the published known answers and two independent implementations.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { multiplyHigh, philox4x32 } from '../../../src/random/philox.js'
import { hexWords, loadVectors } from '../../support/golden/vectors.js'
import { philoxReference } from '../../support/references/philox.js'
import { edgeWords, seededWords } from '../../support/seeded.js'

function philox(counter: readonly number[], key: readonly number[]): number[] {
  const out = new Uint32Array(4)
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter
  const [k0 = 0, k1 = 0] = key
  philox4x32(out, c0, c1, c2, c3, k0, k1)
  return [...out]
}

describe('Random123 known answers', () => {
  interface Vector {
    readonly fn: string
    readonly rounds: number
    readonly ctr: string[]
    readonly key: string[]
    readonly out: string[]
  }
  const { vectors } = loadVectors<{ vectors: Vector[] }>('random123.json')
  const ours = vectors.filter(({ fn, rounds }) => fn === 'philox4x32' && rounds === 10)

  test('the file has the three published vectors', () => {
    expect(ours).toHaveLength(3)
  })

  test.each(ours.map((v) => [v.ctr.join(' '), v] as const))('counter %s', (_, { ctr, key, out }) => {
    expect(philox(hexWords(ctr.join('')), hexWords(key.join('')))).toEqual(hexWords(out.join('')))
  })
})

describe('streams of an independent implementation', () => {
  const file = loadVectors<Record<string, Record<string, string>>>('philox_streams.json')
  const entry = (start: string): [string, string][] => {
    const key = Object.keys(file).find((name) => name.startsWith(start))
    return Object.entries(file[key ?? ''] ?? {})
  }
  const keyOf = (seed: string): number[] => [Number(BigInt(seed) & 0xffff_ffffn), Number(BigInt(seed) >> 32n)]

  test.each(entry('philox4x32_10 key='))('key %s, blocks 0 to 15', (seed, hex) => {
    const words = hexWords(hex)
    expect(words).toHaveLength(64)
    const got = Array.from({ length: 16 }, (_, block) => philox([block, 0, 0, 0], keyOf(seed))).flat()
    expect(got).toEqual(words)
  })

  test.each(entry('philox4x32_10 64-bit counter carry'))('key %s, counters beside a carry', (seed, hex) => {
    const words = hexWords(hex)
    const blocks = words.length / 4
    expect(blocks).toBeGreaterThanOrEqual(2)
    const got = Array.from({ length: blocks }, (_, block) => {
      const counter = 0x1_ffff_fffen + BigInt(block)
      return philox([Number(counter & 0xffff_ffffn), Number(counter >> 32n), 2, 3], keyOf(seed))
    }).flat()
    expect(got).toEqual(words)
  })
})

test('2000 random and all-edge counters and keys equal a bigint implementation', () => {
  const next = seededWords(1)
  for (let i = 0; i < 2000; i++) {
    const pick = (): number => (i % 2 === 0 ? next() : edgeWords[next() % edgeWords.length]!)
    const counter = [pick(), pick(), pick(), pick()]
    const key = [pick(), pick()]
    expect(philox(counter, key)).toEqual(philoxReference(counter, key))
  }
})

test('the output array may be used again, and signed words mean the same', () => {
  const out = new Uint32Array([9, 9, 9, 9])
  philox4x32(out, -1, -1, -1, -1, -1, -1)
  expect([...out]).toEqual(philox([0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]))
})

describe('multiplyHigh', () => {
  const high = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n)

  test('every pair of edge words', () => {
    for (const a of edgeWords) {
      for (const b of edgeWords) expect([a, b, multiplyHigh(a, b)]).toEqual([a, b, high(a, b)])
    }
  })

  test('100,000 random pairs', () => {
    const next = seededWords(2)
    let wrong = 0
    for (let i = 0; i < 100_000; i++) {
      const a = next()
      const b = next()
      if (multiplyHigh(a, b) !== high(a, b)) wrong++
    }
    expect(wrong).toBe(0)
  })
})

test('the constants in the shader are those of the CPU reference', () => {
  const constants = (path: string): [string, number][] =>
    [
      ...readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8').matchAll(
        /const (PHILOX_\w+) = (0x\w+?)u?;?$/gim,
      ),
    ]
      .map(([, name = '', value = '']) => [name, Number(value)] as [string, number])
      .sort()
  const shader = constants('shaders/random/philox.wgsl')
  expect(shader.map(([name]) => name)).toEqual(['PHILOX_M0', 'PHILOX_M1', 'PHILOX_W0', 'PHILOX_W1'])
  expect(constants('src/random/philox.ts')).toEqual(shader)
})
