// TorchGenerator against values of real PyTorch (test/vectors/README.md).
import { describe, expect, test } from 'vitest'
import { TorchGenerator } from '../../../../src/generators/torch/torch-generator.js'
import {
  expectHex,
  expectTensor,
  type GoldenTensor,
  hashOf,
  parseCall,
} from '../../../support/golden/torch-cpu-hashes.js'
import { bitsOf, loadVectors } from '../../../support/golden/vectors.js'

interface Draws {
  draws: Record<string, Record<string, Record<string, string>>>
  sequences: { runs: Record<string, { op: string; numel: number; hex: string }[]> }
  init: Record<string, Record<string, Record<string, GoldenTensor>>>
  modules: Record<string, Record<string, Record<string, unknown>>>
  randperm: Record<string, Record<string, unknown>>
  sparse_: Record<string, { shape: [number, number]; sparsity: number; std: number; hex: string }>
}
const golden = loadVectors<Draws>('torch_cpu_draws.json')
const seeds = Object.keys(golden.draws)

const draw = (generator: TorchGenerator, op: string, count: number): Float32Array => {
  const { method, args } = parseCall(op)
  return generator[method](count, ...args)
}

describe.each(seeds)('seed %s', (seed) => {
  test('every single draw', () => {
    for (const [count, calls] of Object.entries(golden.draws[seed]!)) {
      for (const [op, hex] of Object.entries(calls)) {
        expectHex(draw(new TorchGenerator(BigInt(seed)), op, Number(count)), hex)
      }
    }
  })

  test('a sequence of calls, with its kept normals', () => {
    const generator = new TorchGenerator(BigInt(seed))
    for (const { op, numel, hex } of golden.sequences.runs[seed]!) expectHex(draw(generator, op, numel), hex)
  })

  test('the sequence again, its state saved and restored between any two calls', () => {
    let state = new TorchGenerator(BigInt(seed)).getState()
    for (const { op, numel, hex } of golden.sequences.runs[seed]!) {
      const generator = new TorchGenerator(99).setState(JSON.parse(JSON.stringify(state)))
      expectHex(draw(generator, op, numel), hex)
      state = generator.getState()
    }
  })

  test('randperm, and what comes after it', () => {
    const generator = new TorchGenerator(BigInt(seed))
    const row = golden.randperm[seed]!
    expect([...generator.randperm(10)]).toEqual(row['randperm(10)'])
    expect([...generator.randperm(100)]).toEqual(row['then randperm(100)'])
    expectHex(generator.uniform(1), row['then rand(1)'] as string)
  })

  test('sparse_: normals, then a permutation of every column', () => {
    const { shape, sparsity, std, hex } = golden.sparse_[seed]!
    const [rows, columns] = shape
    const generator = new TorchGenerator(BigInt(seed))
    const values = generator.normal(rows * columns, 0, std)
    for (let column = 0; column < columns; column++) {
      for (const row of generator.randperm(rows).subarray(0, Math.ceil(sparsity * rows)))
        values[row * columns + column] = 0
    }
    expectHex(values, hex)
  })

  test('default initialisation of Linear, Conv2d, Embedding, LSTM and Sequential', () => {
    const kaiming = (g: TorchGenerator, [out = 1, ...rest]: readonly number[]): [Float32Array, number] => {
      const fanIn = rest.reduce((a, b) => a * b, 1)
      const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + Math.sqrt(5) ** 2)) / Math.sqrt(fanIn))
      return [g.uniform(out * fanIn, -bound, bound), 1 / Math.sqrt(fanIn)]
    }
    for (const [name, row] of Object.entries(golden.modules[seed]!)) {
      const g = new TorchGenerator(BigInt(seed))
      const params = (row.params ?? row) as Record<string, GoldenTensor>
      const order = (row.order as string[] | undefined) ?? Object.keys(params)
      let bound = 0
      for (const key of order) {
        const tensor = params[key]!
        if (name.startsWith('LSTM'))
          expectTensor(g.uniform(tensor.numel, -1 / Math.sqrt(12), 1 / Math.sqrt(12)), tensor)
        else if (name.startsWith('Embedding')) {
          const table = g.normal(tensor.numel)
          table.fill(0, 0, tensor.shape[1])
          expectTensor(table, tensor)
        } else if (key.endsWith('weight')) {
          const [values, biasBound] = kaiming(g, tensor.shape)
          bound = biasBound
          expectTensor(values, tensor)
        } else expectTensor(g.uniform(tensor.numel, -bound, bound), tensor)
      }
    }
  })
})

test('only the low 32 bits of a seed count', () => {
  expect(hashOf(new TorchGenerator(1234567890123n).uniform(700))).toBe(
    hashOf(new TorchGenerator(1912276171).uniform(700)),
  )
  expect(hashOf(new TorchGenerator(-1).uniform(700))).toBe(hashOf(new TorchGenerator(0xffffffff).uniform(700)))
})

test('a uniform that rounds up to the upper end becomes the lower one, as in PyTorch 2.13', () => {
  const values = new TorchGenerator(42).uniform(100_000, 1e6, 1e6 + 3)
  expect(values.every((x) => x >= 1e6 && x < 1e6 + 3)).toBe(true)
  const narrow = new TorchGenerator(42, { variant: 'no-contraction' }).uniform(100_000, 1e6, 1e6 + 3)
  expect(narrow.every((x) => x >= 1e6 && x < 1e6 + 3)).toBe(true)
})

test('skip, random and the position agree with drawing', () => {
  const a = new TorchGenerator(7)
  const b = new TorchGenerator(7)
  a.uniform(1_000_003)
  b.skip(1_000_002)
  b.random()
  expect(b.position).toBe(a.position)
  expect(a.random()).toBe(b.random())
  expect(bitsOf(a.normal(33))).toEqual(bitsOf(b.normal(new Float32Array(33))))
})

test.each([
  ['a seed that is no integer', () => new TorchGenerator(0.5), /seed must be an integer/],
  [
    'an unknown variant',
    () => new TorchGenerator(1, { variant: 'x' as 'fma' }),
    /variant must be 'fma' or 'no-contraction'/,
  ],
  ['a reversed range', () => new TorchGenerator(1).uniform(3, 1, 0), /uniform_ expects to return a \[from, to\) range/],
  ['a negative std', () => new TorchGenerator(1).normal(3, 0, -1), /normal expects std >= 0.0, but found std -1/],
  [
    'an infinite bound',
    () => new TorchGenerator(1).uniform(3, 0, Number.POSITIVE_INFINITY),
    /high must be a finite number/,
  ],
  ['a count that is no count', () => new TorchGenerator(1).normal(1.5), /number of elements must be >= 0/],
  ['a permutation that is too long', () => new TorchGenerator(1).randperm(2 ** 31), /from 0 to 214748363/],
  [
    'a strange state',
    () => new TorchGenerator(1).setState({ seed: -1, position: 0 }),
    /setState takes a state that getState returned/,
  ],
  ['a negative skip', () => new TorchGenerator(1).skip(-1), /skip: the number of words/],
])('refuses %s', (_, call, message) => {
  expect(call).toThrow(message)
})
