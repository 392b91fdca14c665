// fusedMultiplyAdd against exact integers: ties, near ties, cancellation.
import { expect, test } from 'vitest'
import { fusedMultiplyAdd, quickMultiplyAdd } from '../../../../src/random/libraries/fma.js'
import { MersenneStream, mersenneStream } from '../../../../src/random/libraries/mt19937.js'
import { hexWords, loadVectors } from '../../../support/golden/vectors.js'

/** Rounds the exact integer n * 2^e to float32, nearest even, with BigInt alone. */
function roundExact(n: bigint, e: number): number {
  if (n === 0n) return 0
  const magnitude = n < 0n ? -n : n
  const drop = Math.max(0, magnitude.toString(2).length - 24)
  const unit = 1n << BigInt(drop)
  let kept = magnitude / unit
  const rest = 2n * (magnitude % unit)
  if (rest > unit || (rest === unit && (kept & 1n) === 1n)) kept++
  return (n < 0n ? -1 : 1) * Number(kept) * 2 ** (drop + e)
}

test('fusedMultiplyAdd rounds once, where rounding twice goes wrong too', () => {
  let state = 12345
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  for (let i = 0; i < 200_000; i++) {
    const a = (next() & 0xffffff) | 0x800000
    const b = (next() & 0xffffff) | 0x800000
    // c is half a unit of the product's last place away from a tie, or nearly so, or anything.
    const product = BigInt(a) * BigInt(b)
    const shift = 60 + (next() % 30)
    const c = (((next() & 0xffffff) | 0x800000) >>> 0) * (next() % 2 === 0 ? 1 : -1)
    const exact = product + (BigInt(c) << BigInt(shift - 40))
    const large = i % 2 === 0
    const expected = large ? roundExact(exact, 0) : roundExact((product << 40n) + BigInt(c), -40)
    const addend = large ? c * 2 ** (shift - 40) : c * 2 ** -40
    const actual = fusedMultiplyAdd(a, b, addend)
    if (actual !== expected) expect({ a, b, addend, actual }).toEqual({ a, b, addend, actual: expected })
  }
  // A tie for the double, which has lost the addend, but not for the number.
  const a = 2 ** 12 + 1
  const b = 2 ** 12 + 1 // a b = 2^24 + 2^13 + 1: half-way between two float32
  expect(fusedMultiplyAdd(a, b, 2 ** -40)).toBe(2 ** 24 + 2 ** 13 + 2)
  expect(fusedMultiplyAdd(a, b, -(2 ** -40))).toBe(2 ** 24 + 2 ** 13)
  expect(fusedMultiplyAdd(a, b, 0)).toBe(2 ** 24 + 2 ** 13)
  expect(quickMultiplyAdd(a, b, 2 ** -40)).not.toBe(fusedMultiplyAdd(a, b, 2 ** -40))
})

test('MT19937: first words, the words around a block, and any position', () => {
  const streams = loadVectors<Record<string, Record<string, string>>>('streams.json')
  const first = streams['mt19937 (init by single u32 = seed & 0xffffffff) first 64']!
  const around = streams['mt19937 outputs 616..631 then 1240..1255 (around the two regenerations)']!
  const read = (seed: string, position: number, count: number): number[] => {
    const words = new Uint32Array(count)
    mersenneStream(Number(BigInt(seed) & 0xffffffffn)).read(position, words)
    return [...words]
  }
  for (const [seed, hex] of Object.entries(first)) expect(read(seed, 0, 64)).toEqual(hexWords(hex))
  for (const [seed, hex] of Object.entries(around)) {
    expect([...read(seed, 616, 16), ...read(seed, 1240, 16)]).toEqual(hexWords(hex))
  }
  const whole = new Uint32Array(2_000_000)
  new MersenneStream(3).read(0, whole)
  const stream = new MersenneStream(3)
  for (const position of [1_999_990, 5, 640_000, 638_976, 638_975, 1_277_952, 0, 623, 624, 1_300_000]) {
    const part = new Uint32Array(10)
    stream.read(position, part)
    expect([...part]).toEqual([...whole.subarray(position, position + 10)])
  }
})
