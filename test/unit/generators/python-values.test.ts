// Values of real PyTorch 2.13 and JAX 0.10 on a CPU, for seeds other than the golden files' (test/vectors/README.md).
import { describe, expect, test } from 'vitest'
import { jax, TorchGenerator } from '../../../src/index.js'
import { sha256 } from '../../support/bits.js'
import { hashOf, parseCall } from '../../support/torch-cpu.js'
import { floatOf, hexWords, loadVectors } from '../../support/vectors.js'

const golden = loadVectors<{
  torch: Record<string, Record<string, string | number[] | string[]>>
  jax: Record<string, Record<string, string> & { key: [number, number] }>
}>('python_2026.json')

test.each(Object.keys(golden.torch))('PyTorch 2.13, seed %s', (seed) => {
  for (const [name, expected] of Object.entries(golden.torch[seed]!)) {
    const g = new TorchGenerator(BigInt(seed))
    if (name.startsWith('randperm')) expect([...g.randperm(50)]).toEqual(expected)
    else if (name.startsWith('sparse_')) {
      const values = g.normal(60, 0, 0.01)
      for (let column = 0; column < 6; column++) {
        for (const row of g.randperm(10).subarray(0, 4)) values[row * 6 + column] = 0
      }
      expect(hashOf(values)).toBe(expected)
    } else if (name.startsWith('Linear')) {
      const hashes = [784, 256].flatMap((fanIn, layer) => {
        const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + Math.sqrt(5) ** 2)) / Math.sqrt(fanIn))
        const outputs = [256, 10][layer]!
        return [
          hashOf(g.uniform(outputs * fanIn, -bound, bound)),
          hashOf(g.uniform(outputs, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))),
        ]
      })
      expect(hashes).toEqual(expected)
    } else {
      const [op = '', count = ''] = name.split(' ')
      const { method, args } = parseCall(op)
      expect({ name, hash: hashOf(g[method](Number(count), ...args)) }).toEqual({ name, hash: expected })
    }
  }
})

describe.each(Object.keys(golden.jax))('JAX 0.10: %s', (name) => {
  const [generator = '', seed = ''] = name.split(' ')
  const options = { generator: generator as 'jax' }
  const row = golden.jax[name]!

  test('keys, bits and uniforms', () => {
    const key = jax.foldIn(jax.split(jax.key(Number(seed)), 3, options)[1]!, 99)
    expect(key).toEqual(row.key)
    expect(sha256(new Uint8Array(jax.bits(key, 1001, options).buffer))).toBe(row['bits 1001'])
    expect(hashOf(jax.uniform(key, 1001, 0, 1, options))).toBe(row['uniform 1001'])
    expect(hashOf(jax.uniform(key, 1001, -1, 1, options))).toBe(row['uniform(-1,1) 1001'])
    expect(hashOf(jax.initializers.glorotUniform(key, [37, 41], options))).toBe(row['glorot_uniform 37x41'])
  })

  test('normals within 6e-7', () => {
    const far = (values: Float32Array, hex: string): number =>
      Math.max(...hexWords(hex).map((word, i) => Math.abs(values[i]! - floatOf(word))))
    expect(far(jax.normal(row.key, 64, options), row['normal 64']!)).toBeLessThanOrEqual(6e-7)
    const truncated = jax.truncatedNormal(row.key, -1, 2.5, 64, options)
    expect(far(truncated, row['truncated_normal(-1,2.5) 64']!)).toBeLessThanOrEqual(6e-7)
  })
})
