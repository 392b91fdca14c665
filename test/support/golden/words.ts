// Golden words of the block functions: Random123's known answers, streams of an independent reference, and what the
// generators make of single words.
import { expect } from 'vitest'
import { affineConstants } from '../../../src/generators/draw-constants.js'
import { curandUniform, roundToFloat } from '../../../src/random/libraries/curand.js'
import { mersenneStream } from '../../../src/random/libraries/mt19937.js'
import { threefry2x32 } from '../../../src/random/libraries/threefry.js'
import { philox4x32 } from '../../../src/random/philox.js'
import type { GoldenCheck } from './golden.js'
import type { GoldenRows, WordFunction } from './rows.js'
import { bitsOf, hexWords } from './vectors.js'

/** The words of a block lie in its second four: an input is a counter and then (key, index of the counter, 0). */
export const philoxFunction: WordFunction = {
  imports: ['random/philox'],
  body: 'return philox4x32(source[min(x.z, arrayLength(&source) - 1u)], x.xy);',
  reference: ([k0 = 0, k1 = 0, at = 0], source) => {
    const out = new Uint32Array(4)
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = source.subarray(4 * at, 4 * at + 4)
    philox4x32(out, c0, c1, c2, c3, k0, k1)
    return [...out]
  },
}

/** x = (key, counter); two words. */
export const threefryFunction: WordFunction = {
  imports: ['random/libraries/threefry'],
  body: 'return vec4<u32>(threefry2x32(x.xy, x.zw), 0u, 0u);',
  reference: ([k0 = 0, k1 = 0, c0 = 0, c1 = 0]) => {
    const out = new Uint32Array(4)
    threefry2x32(out, k0, k1, c0, c1)
    return [...out]
  },
}

/** roundToFloat, curandUniform, and the unit uniforms of torch-cpu (24 bits) and JAX (23) of the word x.x. */
const unitFunction: WordFunction = {
  imports: ['random/libraries/curand', 'generators/affine'],
  slots: { mulAdd: 'random/libraries/mul_add_fused' },
  body: [
    'let torch = affine(x.x & 0xffffffu, vec4<f32>(1.0, 0.0, 0.0, 0x1p-24), zero);',
    'let jax = affine(x.x >> 9u, vec4<f32>(1.0, 0.0, 0.0, 0x1p-23), zero);',
    'return bitcast<vec4<u32>>(vec4<f32>(roundToFloat(x.x), curandUniform(x.x, zero), torch, jax));',
  ].join(' '),
  reference: ([x = 0]) => {
    const unit = (k: number, bits: 23 | 24): number => {
      const { scale, offset, zeroPoint, step } = affineConstants({ low: 0, high: 1 }, bits)
      return (k - zeroPoint) * step * scale + offset
    }
    return bitsOf(Float32Array.of(roundToFloat(x), curandUniform(x), unit(x & 0xffffff, 24), unit(x >>> 9, 23)))
  },
}

export type Counter = readonly [number, number, number, number]
export type Key = readonly [number, number]

/** Philox blocks, four words each. */
export function philoxWords(
  rows: GoldenRows,
  label: string,
  blocks: readonly (readonly [Counter, Key])[],
  check: (words: number[]) => void,
): void {
  const input = (first: number): number[] =>
    blocks.flatMap(([counter, key], i) => [...counter, ...key, first + 2 * i, 0])
  rows.words(label, philoxFunction, input, (out) => check(out.filter((_, i) => i % 8 >= 4)))
}

/** Threefry blocks, two words each. */
export function threefryWords(
  rows: GoldenRows,
  label: string,
  blocks: readonly (readonly [Key, readonly [number, number]])[],
  check: (words: number[]) => void,
): void {
  rows.words(
    label,
    threefryFunction,
    () => blocks.flat(2),
    (out) => check(out.filter((_, i) => i % 4 < 2)),
  )
}

interface Known {
  readonly fn: string
  readonly rounds: number
  readonly ctr: readonly string[]
  readonly key: readonly string[]
  readonly out: readonly string[]
}

/** random123.json, kat_random123.json. */
export function knownAnswerChecks(rows: GoldenRows): GoldenCheck[] {
  return [
    {
      path: /^vectors\|\d+$/,
      check({ fn, rounds, ctr, key, out }: Known, path) {
        const label = path.join('|')
        const words = (list: readonly string[]): number[] => hexWords(list.join(''))
        const same = (found: number[]): void => expect(found).toEqual(words(out))
        if (fn === 'philox4x32' && rounds === 10) {
          philoxWords(rows, label, [[words(ctr) as unknown as Counter, words(key) as unknown as Key]], same)
        } else if (fn === 'threefry2x32' && rounds === 20) {
          threefryWords(rows, label, [[words(key) as unknown as Key, words(ctr) as unknown as Key]], same)
        } else {
          // Not usable: no generator here has these functions, or these functions with as many rounds.
          expect(/^(philox2x32|threefry4x32) |^philox4x32 7$|^threefry2x32 (13|32)$/.test(`${fn} ${rounds}`)).toBe(true)
        }
      },
    },
  ]
}

const seedKey = (seed: string): Key => [Number(BigInt(seed) & 0xffff_ffffn), Number(BigInt(seed) >> 32n)]
const counting = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** streams.json, philox_streams.json. */
export function streamChecks(rows: GoldenRows): GoldenCheck[] {
  const philox = (path: RegExp, blocks: number, counter: (i: number) => Counter): GoldenCheck => ({
    path,
    check(hex: string, row) {
      const key = seedKey(row[1]!)
      const inputs = counting(blocks).map((i) => [counter(i), key] as const)
      philoxWords(rows, row.join('|'), inputs, (found) => expect(found).toEqual(hexWords(hex)))
    },
  })
  const mersenne = (path: RegExp, parts: readonly (readonly [first: number, count: number])[]): GoldenCheck => ({
    path,
    check(hex: string, [, seed = '']) {
      rows.host(() => {
        const found = parts.flatMap(([first, count]) => {
          const words = new Uint32Array(count)
          mersenneStream(seedKey(seed)[0]).read(first, words)
          return [...words]
        })
        expect(found).toEqual(hexWords(hex))
      })
    },
  })
  return [
    philox(/^philox4x32_10 key=.* ctr=\(b,0,0,0\) b=0\.\.15\|/, 16, (b) => [b, 0, 0, 0]),
    philox(/^philox4x32_10 key=.* ctr=\(0,0,i,0\) i=0\.\.15 .*\|/, 16, (i) => [0, 0, i, 0]),
    philox(/^philox4x32_10 64-bit counter carry: .*\|/, 2, (b) => [0xfffffffe + b, 1, 2, 3]),
    // Not usable: no generator here has seven rounds.
    { path: /^philox4x32_7 /, check() {} },
    {
      path: /^threefry2x32_20 key=\(seed_hi,seed_lo\) x=\(0,i\) i=0\.\.31, .*\|/,
      check(hex: string, row) {
        const [low, high] = seedKey(row[1]!)
        const inputs = counting(32).map(
          (i) =>
            [
              [high, low],
              [0, i],
            ] as const,
        )
        threefryWords(rows, row.join('|'), inputs, (found) => expect(found).toEqual(hexWords(hex)))
      },
    },
    mersenne(/^mt19937 \(init by single u32 = seed & 0xffffffff\) first 64\|/, [[0, 64]]),
    mersenne(/^mt19937 outputs 616\.\.631 then 1240\.\.1255 .*\|/, [
      [616, 16],
      [1240, 16],
    ]),
    {
      path: /^f32 u01: /,
      check(row: Record<string, string>, path) {
        const inputs = hexWords(row.inputs!)
        rows.words(
          path.join('|'),
          unitFunction,
          () => inputs.flatMap((x) => [x, 0, 0, 0]),
          (out) => {
            const column = (at: number): number[] => out.filter((_, i) => i % 4 === at)
            const one = 0x3f800000
            const found = {
              u32_to_f32_rne: column(0),
              curand_uniform: column(1),
              // uniform_ gives the lower end where u is 1.
              torch_cuda_rand: column(1).map((word) => (word === one ? 0 : word)),
              torch_cpu: column(2),
              jax_uniform: column(3),
            }
            const { inputs: _, ...expected } = row
            expect(found).toEqual(Object.fromEntries(Object.entries(expected).map(([k, hex]) => [k, hexWords(hex)])))
          },
        )
      },
    },
  ]
}
