// How far apart PyTorch's CPU builds are: the figures of docs/compatibility.md, counted.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TorchGenerator } from '../../../../src/index.js'
import { floatOf, hexWords, loadVectors } from '../../../support/golden/vectors.js'

const docs = readFileSync(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8').replace(/\s+/g, ' ')

/** Share of differing elements, and the largest difference, in ulp of the larger. */
function apart(a: Float32Array, b: Float32Array): { share: number; ulp: number } {
  const bits = (x: Float32Array): Int32Array => new Int32Array(x.buffer, x.byteOffset, x.length)
  const [left, right] = [bits(a), bits(b)]
  let differing = 0
  let ulp = 0
  for (let i = 0; i < left.length; i++) {
    if (left[i] === right[i]) continue
    differing++
    ulp = Math.max(ulp, Math.abs(left[i]! - right[i]!))
  }
  return { share: differing / left.length, ulp }
}

test('no-contraction: half of the uniforms, one normal in 100, by 2 ulp at most', () => {
  const count = 2 ** 18
  const draw = (distribution: (g: TorchGenerator) => Float32Array) =>
    apart(distribution(new TorchGenerator(42)), distribution(new TorchGenerator(42, { variant: 'no-contraction' })))
  const normals = draw((g) => g.normal(count))
  expect(normals.ulp).toBe(2)
  expect(normals.share).toBeGreaterThan(0.007)
  expect(normals.share).toBeLessThan(0.013)
  const uniforms = draw((g) => g.uniform(count, -0.07, 0.07))
  expect(uniforms.share).toBeGreaterThan(0.45)
  expect(uniforms.share).toBeLessThan(0.55)
  expect(docs).toContain(
    'differs in the last bit of about half of the uniforms and in 1 % of the normals, by 2 ulp at most',
  )
})

test('the scalar build, ARM’s too: 40 % of the normals of its golden file', () => {
  type Draws = Record<string, Record<string, Record<string, string>>>
  const [vector, scalar] = ['torch_cpu_draws.json', 'torch_cpu_default.json'].map(
    (file) => loadVectors<{ draws: Draws }>(file).draws,
  )
  let elements = 0
  let differing = 0
  let largest = 0
  for (const [seed, counts] of Object.entries(vector!)) {
    for (const [count, ops] of Object.entries(counts)) {
      if (Number(count) < 16) continue
      const other = hexWords(scalar![seed]![count]!.randn!)
      for (const [i, word] of hexWords(ops.randn!).entries()) {
        elements++
        if (word === other[i]) continue
        differing++
        largest = Math.max(largest, Math.abs(floatOf(word) - floatOf(other[i]!)))
      }
    }
  }
  expect((differing / elements).toFixed(2)).toBe('0.40')
  expect(largest.toExponential(1)).toBe('1.3e-6')
  expect(docs).toContain('40 % of the normals differ, by up to 1.3e-6')
})
