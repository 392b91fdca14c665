// Seeds and names become keys of Philox streams: published hashes, every kind of seed, and refusals.
import { describe, expect, test } from 'vitest'
import { fnv1a64, parameterStream, randomSeed, seedKey } from '../../../src/random/keys.js'
import { statelessRows } from '../../support/golden/vectors.js'
import { blockReference } from '../../support/references/philox.js'
import { expectRefusal } from '../../support/refusal.js'

describe('fnv1a64', () => {
  // Published: Landon Curt Noll's FNV test vectors, 64-bit FNV-1a.
  test.each([
    ['', 0xcbf29ce484222325n],
    ['a', 0xaf63dc4c8601ec8cn],
    ['b', 0xaf63df4c8601f1a5n],
    ['foobar', 0x85944171f73967e8n],
    ['chongo was here!\n', 0x46810940eff5f915n],
  ])('%j', (text, hash) => {
    expect(fnv1a64(text)).toBe(hash)
  })

  /** The recurrence over bytes written out by hand, so that the encoding is ours and not TextEncoder's. */
  const overBytes = (bytes: readonly number[]): bigint =>
    bytes.reduce((hash, byte) => ((hash ^ BigInt(byte)) * 1099511628211n) % 2n ** 64n, 14695981039346656037n)

  test.each([
    ['é', [0xc3, 0xa9]],
    ['e\u0301', [0x65, 0xcc, 0x81]],
    ['€', [0xe2, 0x82, 0xac]],
    ['重み', [0xe9, 0x87, 0x8d, 0xe3, 0x81, 0xbf]],
    ['🧠', [0xf0, 0x9f, 0xa7, 0xa0]],
    ['fc.weight\u0000', [0x66, 0x63, 0x2e, 0x77, 0x65, 0x69, 0x67, 0x68, 0x74, 0x00]],
  ])('UTF-8 bytes of %j', (text, bytes) => {
    expect(fnv1a64(text)).toBe(overBytes(bytes))
  })
})

describe('seedKey', () => {
  test.each<[number | bigint, bigint]>([
    [0, 0n],
    [-0, 0n],
    [0n, 0n],
    [1, 1n],
    [42, 42n],
    [-1, 2n ** 64n - 1n],
    [-1n, 2n ** 64n - 1n],
    [2n ** 64n, 0n],
    [2n ** 64n + 5n, 5n],
    [-(2n ** 64n) - 1n, 2n ** 64n - 1n],
    [2 ** 32, 2n ** 32n],
    [Number.MAX_SAFE_INTEGER, 2n ** 53n - 1n],
    [2 ** 64, 0n],
    [2 ** 70 + 2 ** 60, 2n ** 60n],
    [0xdeadbeefcafebaben, 0xdeadbeefcafebaben],
  ])('%s', (seed, key) => {
    expect(seedKey(seed)).toBe(key)
  })

  test.each([42, 0, -7, 2 ** 40])('%d as number and as bigint are the same', (seed) => {
    expect(seedKey(seed)).toBe(seedKey(BigInt(seed)))
  })

  test.each<[unknown, string]>([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [1.5, '1.5'],
    ['1', '"1"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [{}, '{}'],
  ])('refuses %s', async (seed, shown) => {
    await expectRefusal(() => seedKey(seed as number), 'INVALID_ARGUMENT', 'seed', 'integer', shown)
  })
})

describe('parameterStream', () => {
  test.each([
    ['', 0n],
    ['fc.weight', 0n],
    ['fc.weight', 42n],
    ['transformer.h.11.mlp.c_proj.weight', 2n ** 64n - 1n],
    ['重み', 0xdeadbeefcafebaben],
  ])('of %j, seed %s, is block FNV-1a-64(name) of the seed’s key', (name, seed) => {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = blockReference({ key: seed, counter: 0n }, fnv1a64(name))
    expect(parameterStream(name, seed)).toEqual({
      key: BigInt(w0) + BigInt(w1) * 2n ** 32n,
      counter: BigInt(w2) + BigInt(w3) * 2n ** 32n,
    })
  })

  test('the seed counts mod 2^64', () => {
    expect(parameterStream('w', -1)).toEqual(parameterStream('w', 2n ** 64n - 1n))
    expect(parameterStream('w', 2n ** 64n + 3n)).toEqual(parameterStream('w', 3))
  })

  test('names and seeds that are near give streams that are far', () => {
    const seen = new Set<bigint>()
    for (const name of ['w', 'w0', 'w1', 'W', 'w ', '0.weight', '1.weight']) {
      for (const seed of [0, 1, 2, 2 ** 32, -1]) {
        const { key: streamSeed, counter } = parameterStream(name, seed)
        seen.add(streamSeed).add(counter)
      }
    }
    expect(seen.size).toBe(7 * 5 * 2)
  })
})

// fold_in(key, i) and split(key)[i] of torch.func._random are block i of the key, read as two 64-bit integers: what
// parameterStream does with the name's hash for i.
describe.each(statelessRows())('torch.func._random %s', (_, row) => {
  const foldIn = (i: bigint): { key: bigint; counter: bigint } => {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = blockReference(row, i)
    return { key: BigInt(w0) | (BigInt(w1) << 32n), counter: BigInt(w2) | (BigInt(w3) << 32n) }
  }

  test('fold_in(7)', () => {
    expect(foldIn(7n)).toEqual(row.foldIn7)
  })

  test('split(4)', () => {
    expect([0n, 1n, 2n, 3n].map(foldIn)).toEqual(row.splits)
  })
})

test('a seed that is drawn is a safe integer, and drawn anew each time', () => {
  const seeds = Array.from({ length: 100 }, randomSeed)
  for (const seed of seeds) expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true)
  expect(new Set(seeds).size).toBe(100)
  expect(Math.max(...seeds)).toBeGreaterThan(2 ** 50)
})
