// jax.random against reference arrays and published values (test/vectors/README.md).
import { describe, expect, test } from 'vitest'
import { erf } from '../../../src/generators/erf.js'
import { crc32 } from '../../../src/generators/jax.js'
import { jax } from '../../../src/generators/jax-api.js'
import type { JaxKey } from '../../../src/generators/types.js'
import { threefry2x32 } from '../../../src/random/threefry.js'
import { hashOf } from '../../support/torch-cpu.js'
import { bitsOf, floatOf, hexWords, loadVectors } from '../../support/vectors.js'

type Row = Record<string, string>
interface Layout {
  shapes: Record<string, Row>
  init: Record<
    string,
    Record<string, { hex?: string; first32?: string; last8?: string; sha256_f32le?: string; numel: number }>
  >
  split2: JaxKey[]
  split5: JaxKey[]
  [key: string]: unknown
}
const { keys } = loadVectors<{ keys: Record<string, { key: JaxKey; partitionable: Layout; legacy: Layout }> }>(
  'jax_ref.json',
)

/** Words in full, or where the file has a hash and the ends, those. */
function wordsOf(row: unknown): number[] {
  return hexWords(typeof row === 'string' ? row : ((row as { hex?: string; first32?: string }).hex ?? ''))
}

function expectNear(actual: Float32Array, words: readonly number[], bound: number): void {
  const errors = words.map((word, i) => Math.abs(actual[i]! - floatOf(word)))
  expect(Math.max(...errors)).toBeLessThanOrEqual(bound)
}

const cases = Object.entries(keys).flatMap(([seed, { key, partitionable, legacy }]) => [
  { seed, key, layout: partitionable, generator: 'jax' as const },
  { seed, key, layout: legacy, generator: 'jax-legacy' as const },
])

describe.each(cases)('$generator, seed $seed', ({ seed, key, layout, generator }) => {
  const options = { generator }

  test('key, split and fold_in', () => {
    expect(jax.key(BigInt(seed))).toEqual(key)
    expect(jax.split(key, 2, options)).toEqual(layout.split2)
    expect(jax.split(key, 5, options)).toEqual(layout.split5)
    expect([0, 1, 2, 3, 4].map((i) => jax.foldIn(key, i))).toEqual(layout['fold_in 0..4'])
    expect(jax.split(jax.split(key, 2, options)[0]!, 2, options)[1]).toEqual(layout['split(split(key)[0])[1]'])
  })

  test.each(Object.keys(layout.shapes))('shape %s', (name) => {
    const row = layout.shapes[name]!
    const shape = name === 'scalar' ? [] : name.split('x').map(Number)
    expect([...jax.bits(key, shape, options)]).toEqual(wordsOf(row.bits))
    expect(bitsOf(jax.uniform(key, shape, 0, 1, options))).toEqual(wordsOf(row.uniform))
    expect(bitsOf(jax.uniform(key, shape, -1, 1, options))).toEqual(wordsOf(row['uniform(-1,1)']))
    expect(bitsOf(jax.uniform(key, shape, -0.07, 0.07, options))).toEqual(wordsOf(row['uniform(-0.07,0.07) fma']))
    expectNear(jax.normal(key, shape, options), wordsOf(row.normal), 6e-7)
    expectNear(jax.truncatedNormal(key, -2, 2, shape, options), wordsOf(row['truncated_normal(-2,2)']), 6e-7)
  })

  test.each(Object.keys(layout.init))('jax.nn.initializers on %s', (name) => {
    const shape = name.split('x').map(Number)
    for (const [initializer, golden] of Object.entries(layout.init[name]!)) {
      const method = initializer.replace(/ .*/, '').replace(/_(.)/, (_, c) => c.toUpperCase()) as 'glorotUniform'
      const values = jax.initializers[method](key, shape, options)
      const first = hexWords(golden.hex ?? golden.first32 ?? '')
      const last = hexWords(golden.last8 ?? '')
      if (initializer.endsWith('uniform')) {
        expect(bitsOf(values.subarray(0, first.length))).toEqual(first)
        if (golden.sha256_f32le !== undefined) expect(hashOf(values)).toBe(golden.sha256_f32le)
      } else {
        expectNear(values, first, 6e-7)
        if (last.length > 0) expectNear(values.subarray(values.length - last.length), last, 6e-7)
      }
    }
  })
})

test('published values', () => {
  const { records } = loadVectors<{ records: { id: string; values: number[]; threefry_partitionable: string }[] }>(
    'jax_published.json',
  )
  const record = (id: string): number[] => records.find((r) => r.id === id)!.values
  const legacy = { generator: 'jax-legacy' } as const
  expect([...jax.bits(jax.key(1701), 3, legacy)]).toEqual(record('bits32_1701'))
  expect([...jax.bits(jax.key(942802475), 5, legacy)]).toEqual(record('bits_case'))
  expect(jax.foldIn(jax.key(0), 4)).toEqual(record('fold_in_key0_4'))
  expect(jax.split(jax.key(0), 3)).toEqual(record('split3_key0_new'))
  const near = (values: Float32Array, id: string, bound: number): void =>
    record(id).forEach((x, i) => {
      expect(Math.abs(values[i]! - x)).toBeLessThanOrEqual(bound)
    })
  near(jax.uniform(jax.key(1338574713), 5, 0, 1, legacy), 'uniform_case', 5e-7)
  near(jax.truncatedNormal(jax.key(2846034731), 0, 2, 5, legacy), 'truncated_normal_case', 6e-7)
  near(
    jax.uniform(jax.key(42), [2, 3], 0, 1, legacy).map((x) => x * 10),
    'init_uniform10',
    5e-7,
  )
  near(jax.normal(jax.key(0), [], legacy), 'normal_key0_old', 1e-7)
  near(jax.normal(jax.key(123), 3, legacy), 'key123_old', 5e-7)
  near(jax.normal(jax.key(42), 3), 'normal3_key42_new', 5e-7)
  near(jax.uniform(jax.key(0), [3, 3]), 'uniform9_key0_new', 1e-7)
  let [key, subkey] = jax.split(jax.key(42))
  for (const value of record('loop_key42_new')) {
    expect(jax.normal(subkey!)[0]).toBeCloseTo(value, 6)
    ;[key, subkey] = jax.split(key!)
  }
})

test('threefry2x32: known answers of Random123 and streams', () => {
  const out = new Uint32Array(2)
  const run = (k0: number, k1: number, c0: number, c1: number): number[] => {
    threefry2x32(out, k0, k1, c0, c1)
    return [...out]
  }
  expect(run(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe])
  expect(run(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toEqual([0x1cb996fc, 0xbb002be7])
  expect(run(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0])
  const streams = loadVectors<Record<string, Record<string, string>>>('streams.json')
  const name = 'threefry2x32_20 key=(seed_hi,seed_lo) x=(0,i) i=0..31, outputs interleaved x0,x1'
  for (const [seed, hex] of Object.entries(streams[name]!)) {
    const key = BigInt(seed)
    const words = Array.from({ length: 32 }, (_, i) => run(Number(key >> 32n), Number(key & 0xffffffffn), 0, i)).flat()
    expect(words).toEqual(hexWords(hex))
  }
})

test('erf and crc32', () => {
  // Abramowitz and Stegun, table 7.1, and Python's math.erf.
  for (const [x, y] of [
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [3.5, 0.9999992569016276],
    [5, 0.9999999999984626],
  ] as const) {
    expect(erf(x)).toBeCloseTo(y, 15)
    expect(erf(-x)).toBeCloseTo(-y, 15)
  }
  expect(crc32('123456789')).toBe(0xcbf43926)
  expect(crc32('größe')).toBe(0x5bd3a989)
})

test.each([
  ['a key that is no key', () => jax.bits([1] as unknown as JaxKey, 3), /jax: key must be a key \[high, low\]/],
  ['a shape', () => jax.bits([0, 1], -1), /shape must be a number of elements/],
  ['a layout', () => jax.bits([0, 1], 1, { generator: 'x' as 'jax' }), /generator must be 'jax' or 'jax-legacy'/],
  ['a reversed range', () => jax.uniform([0, 1], 1, 2, 1), /uniform needs low <= high/],
  ['an empty range', () => jax.truncatedNormal([0, 1], 2, 2), /truncatedNormal needs lower < upper/],
  ['rank 1', () => jax.initializers.glorotUniform([0, 1], [3]), /Must be at least 2D/],
  ['a fraction', () => jax.foldIn([0, 1], 0.5), /fold_in data must be an integer/],
])('refuses %s', (_, call, message) => {
  expect(call).toThrow(message)
})
