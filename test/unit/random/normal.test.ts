// The Box-Muller transform within its error bound, its parts against exact values, and one set of constants with the shaders.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { NORMAL_MAX_ABS } from '../../../src/distributions/checks.js'
import { inverseNormalConstants } from '../../../src/random/inverse-normal.js'
import { logarithmConstants } from '../../../src/random/logarithm.js'
import { boxMuller, direction, fixedToFloat, normalConstants, radius } from '../../../src/random/normal.js'
import { squareRootConstants } from '../../../src/random/square-root.js'
import { exact, multiply, parseHexFloat, roundToFloat32 } from '../../support/references/exact-float.js'
import { edgeWords, seededWords } from '../../support/seeded.js'

/** sqrt(-2 ln u), u = (x + 1/2) 2^-32, in float64; by log1p of u - 1 where u is near 1, so that no digit is lost. */
function radius64(x: number): number {
  const ln = x >= 2 ** 31 ? Math.log1p(-(0xffffffff - x + 0.5) * 2 ** -32) : Math.log((x + 0.5) * 2 ** -32)
  return Math.sqrt(-2 * ln)
}

/** cos and sin of 2 pi (y + 1/2) 2^-32 in float64, reduced to the nearest quarter turn first. */
function direction64(y: number): [number, number] {
  const turns = (y + 0.5) * 2 ** -32
  const quarter = Math.round(turns * 4)
  const angle = 2 * Math.PI * (turns - quarter / 4)
  const c = Math.cos(angle)
  const s = Math.sin(angle)
  return (
    [
      [c, s],
      [-s, c],
      [-c, -s],
      [s, -c],
    ] as [number, number][]
  )[quarter % 4]!
}

/** Largest |z - z64| / max(1, |z64|), and largest |z|, over pairs of words. */
function worst(pairs: Iterable<readonly [x: number, y: number]>): { error: number; reach: number; at: string } {
  const z = new Float32Array(2)
  let error = 0
  let reach = 0
  let at = ''
  for (const [x, y] of pairs) {
    boxMuller(z, x, y)
    const r = radius64(x)
    const d = direction64(y)
    for (const i of [0, 1] as const) {
      const expected = r * d[i]
      const e = Math.abs(z[i]! - expected) / Math.max(1, Math.abs(expected))
      // Not >, so that a NaN is the worst.
      if (!(e <= error)) {
        error = e
        at = `x = ${x}, y = ${y}, element ${i}: ${z[i]} for ${expected}`
      }
      reach = Math.max(reach, Math.abs(z[i]!))
    }
  }
  return { error, reach, at }
}

function* randomPairs(count: number, seed: number, mask = 0xffffffff): Generator<readonly [number, number]> {
  const next = seededWords(seed)
  for (let i = 0; i < count; i++) yield [(next() & mask) >>> 0, next()]
}

describe('|z - exact| <= 5e-7 max(1, |z|) and |z| <= 6.77', () => {
  test('2,000,000 random pairs', () => {
    const { error, reach, at } = worst(randomPairs(2_000_000, 6))
    expect(error, at).toBeLessThanOrEqual(5e-7)
    expect(reach).toBeLessThanOrEqual(NORMAL_MAX_ABS)
    expect(reach).toBeGreaterThan(4.5)
  })

  test('every pair of edge words and their neighbours', () => {
    const near = [...new Set(edgeWords.flatMap((w) => [w - 1, w, w + 1].filter((v) => v >= 0 && v <= 0xffffffff)))]
    const pairs = near.flatMap((x) => near.map((y) => [x, y] as const))
    const { error, reach, at } = worst(pairs)
    expect(error, at).toBeLessThanOrEqual(5e-7)
    expect(reach).toBeLessThanOrEqual(NORMAL_MAX_ABS)
    expect(reach).toBeGreaterThan(6.7)
  })

  test.each([
    ['small x: the far tail', (x: number) => x & 0xffff],
    ['x near 2^32: radii near 0', (x: number) => (x | 0xffff0000) >>> 0],
    ['x around 2^31, where the halves meet', (x: number) => 0x7fff8000 + (x & 0xffff)],
    ['x around powers of two', (x: number) => Math.max(0, 2 ** (x % 32) - 128 + ((x >>> 8) & 0xff))],
  ])('100,000 pairs with %s', (_, shape) => {
    const pairs = [...randomPairs(100_000, 7)].map(([x, y]) => [shape(x), y] as const)
    const { error, reach, at } = worst(pairs)
    expect(error, at).toBeLessThanOrEqual(5e-7)
    expect(reach).toBeLessThanOrEqual(NORMAL_MAX_ABS)
  })
})

describe('parts', () => {
  test('radius: relative error below 2.5e-7 at both ends', () => {
    for (const x of [...edgeWords, ...Array.from({ length: 4096 }, (_, i) => i), 0xfffff000, 0xffffff00]) {
      expect(Math.abs(radius(x) / radius64(x) - 1), `x = ${x}`).toBeLessThan(2.5e-7)
    }
    expect(radius(0)).toBeCloseTo(Math.sqrt(2 * 33 * Math.LN2), 5)
    expect(radius(0xffffffff)).toBeCloseTo(Math.sqrt(2 ** -32), 10)
  })

  test('radius takes signed words for unsigned ones', () => {
    for (const x of edgeWords) expect(radius(x | 0)).toBe(radius(x))
  })

  test('direction: absolute error below 1.5e-7, in all four quarters', () => {
    const next = seededWords(8)
    const out = new Float32Array(2)
    for (const y of [...edgeWords, ...Array.from({ length: 100_000 }, next)]) {
      direction(out, y)
      const [c, s] = direction64(y)
      if (Math.abs(out[0]! - c) > 1.5e-7 || Math.abs(out[1]! - s) > 1.5e-7)
        expect.fail(`y = ${y}: ${out} for ${c}, ${s}`)
    }
  })

  test('cosine first: y = 0 is half a step past angle 0', () => {
    const out = new Float32Array(2)
    direction(out, 0)
    expect(out[0]).toBe(1)
    expect(out[1]).toBeCloseTo(Math.PI * 2 ** -32, 15)
  })

  test('fixedToFloat: n 2^-33 with one rounding', () => {
    const next = seededWords(9)
    for (const n of [...edgeWords, ...Array.from({ length: 2000 }, next)]) {
      expect(fixedToFloat(n)).toBe(roundToFloat32(multiply({ n: BigInt(n), e: 0 }, exact(2 ** -33))))
    }
  })
})

describe.each([
  ['normal', normalConstants],
  ['logarithm', logarithmConstants],
  ['square_root', squareRootConstants],
  ['inverse_normal', inverseNormalConstants],
])('the CPU reference in shaders/random/%s.wgsl', (file, referenceConstants) => {
  const text = readFileSync(new URL(`../../../shaders/random/${file}.wgsl`, import.meta.url), 'utf8')
  const twinFile = new URL(`../../../src/random/${file.replace('_', '-')}.ts`, import.meta.url)
  const referenceText = readFileSync(twinFile, 'utf8')
  const constants = Object.fromEntries(
    [...text.matchAll(/^const (\w+) = (-?0x[0-9a-f.]+(?:p[+-]?\d+f|u));/gim)].map(([, name = '', literal = '']) => [
      name,
      literal.endsWith('u') ? Number(literal.slice(0, -1)) : parseHexFloat(literal.slice(0, -1)),
    ]),
  )

  test('has no constant that this test cannot read', () => {
    expect(Object.keys(constants)).toHaveLength([...text.matchAll(/^const /gm)].length)
  })

  test('has the same constants', () => {
    expect(constants).toEqual(referenceConstants)
  })

  test('has float32 constants', () => {
    for (const [name, value] of Object.entries(constants)) {
      if (name !== 'ROOT_SEED') expect(Math.fround(value), name).toBe(value)
    }
  })

  test('has the same functions', () => {
    const references = [...text.matchAll(/^fn (\w+)/gm)].map(([, name]) => name)
    expect(references.length).toBeGreaterThan(0)
    for (const reference of references) expect(referenceText).toMatch(new RegExp(`function ${reference}\\b`))
  })
})

test('moments of a million normals: mean 0, variance 1, kurtosis 3, no correlation within a pair', () => {
  const z = new Float32Array(2)
  const n = 500_000
  let [sum, squares, fourths, product] = [0, 0, 0, 0]
  for (const [x, y] of randomPairs(n, 10)) {
    boxMuller(z, x, y)
    for (const v of z) {
      sum += v
      squares += v * v
      fourths += v ** 4
    }
    product += z[0]! * z[1]!
  }
  // Five standard errors each.
  expect(Math.abs(sum / (2 * n))).toBeLessThan(5 / Math.sqrt(2 * n))
  expect(Math.abs(squares / (2 * n) - 1)).toBeLessThan(5 * Math.sqrt(2 / (2 * n)))
  expect(Math.abs(fourths / (2 * n) - 3)).toBeLessThan(5 * Math.sqrt(96 / (2 * n)))
  expect(Math.abs(product / n)).toBeLessThan(5 / Math.sqrt(n))
})
