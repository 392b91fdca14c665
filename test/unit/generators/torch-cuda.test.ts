// generator 'torch-cuda' against reference arrays and published values (test/vectors/README.md).
import { describe, expect, test } from 'vitest'
import { cudaOffsetStep, launchThreads, sampleTorchCuda } from '../../../src/generators/torch-cuda.js'
import { threadsOfGpu, torchCudaThreads } from '../../../src/generators/torch-cuda-gpus.js'
import type { RandomLaw } from '../../../src/generators/types.js'
import { curandUniform, roundToFloat } from '../../../src/random/curand.js'
import { hashOf, parseCall } from '../../support/torch-cpu.js'
import { bitsOf, floatOf, hexOf, hexWords, loadVectors } from '../../support/vectors.js'

interface Gpu {
  T: number
  cases: {
    seed: number
    numel: number
    philox_offset_after: number
    rand_sha256_f32le: string
    at: Record<string, { rand: string; randn: string }>
    next_call_rand4: string
  }[]
}
interface Golden {
  small: Record<string, Record<string, Record<string, string>>>
  calls: Record<
    string,
    { op: string; numel: number; philox_offset_before: number; philox_offset_after: number; hex: string }[]
  >
  gpu: Record<string, Gpu>
  init: Record<
    string,
    Record<string, Record<string, { sha256_f32le?: string; first32: string; last8: string } & number>>
  >
}
const golden = loadVectors<Golden>('torch_cuda_ref.json')

const lawOf = (op: string): RandomLaw => {
  const { method, args } = parseCall(op)
  const [a, b] = args.length === 2 ? args : [0, 1]
  return method === 'uniform' ? { kind: 'uniform', low: a!, high: b! } : { kind: 'normal', mean: a!, std: b! }
}

function draw(
  law: RandomLaw,
  seed: bigint,
  count: number,
  capacity: number | null = null,
  offset = 0n,
  first = 0,
  part = count,
) {
  const threads = launchThreads(count, capacity)
  const origin = { generator: 'torch-cuda', seed: String(seed), offset: String(offset), threads } as const
  return sampleTorchCuda({ law, origin }, first, part)
}

function expectLike(values: Float32Array, law: RandomLaw, words: readonly number[], std = 1): void {
  if (law.kind === 'uniform') {
    expect(bitsOf(values.subarray(0, words.length))).toEqual(words)
    return
  }
  // The reference rounds log, root and sine correctly; a CUDA device is within 9.6e-7 of it.
  const errors = words.map((word, i) => Math.abs(values[i]! - floatOf(word)))
  expect(Math.max(...errors)).toBeLessThanOrEqual(5.4e-7 * std)
}

describe.each(Object.keys(golden.small))('seed %s', (seed) => {
  test('small tensors', () => {
    for (const [count, row] of Object.entries(golden.small[seed]!)) {
      for (const [op, hex] of Object.entries(row)) {
        if (op === 'u32' || typeof hex !== 'string') continue
        expectLike(draw(lawOf(op), BigInt(seed), Number(count)), lawOf(op), hexWords(hex))
      }
    }
  })

  test('calls in a row', () => {
    let offset = 0n
    for (const call of golden.calls[seed]!) {
      expect(offset).toBe(BigInt(call.philox_offset_before))
      const law = lawOf(call.op)
      expectLike(draw(law, BigInt(seed), call.numel, null, offset), law, hexWords(call.hex))
      offset += cudaOffsetStep(call.numel, launchThreads(call.numel, null))
      expect(offset).toBe(BigInt(call.philox_offset_after))
    }
  })
})

test.each(Object.keys(golden.init))('initializers, seed %s', (seed) => {
  for (const [shape, row] of Object.entries(golden.init[seed]!)) {
    const [out = 1, ...rest] = shape.split('x').map(Number)
    const field = rest.slice(1).reduce((a, b) => a * b, 1)
    const [fanIn, fanOut] = [rest[0]! * field, out * field]
    const numel = fanIn * out
    const bounds = { xavier_uniform_: Math.sqrt(6 / (fanIn + fanOut)), kaiming_uniform_: Math.sqrt(6 / fanIn) }
    for (const [name, bound] of Object.entries(bounds)) {
      const precise = name.startsWith('xavier')
        ? Math.sqrt(3) * Math.sqrt(2 / (fanIn + fanOut))
        : Math.sqrt(3) * (Math.sqrt(2) / Math.sqrt(fanIn))
      expect(precise).toBeCloseTo(bound, 12)
      expect(hashOf(draw({ kind: 'uniform', low: -precise, high: precise }, BigInt(seed), numel))).toBe(
        row[name]!.sha256_f32le,
      )
    }
    const std = Math.sqrt(2) / Math.sqrt(fanIn)
    const values = draw({ kind: 'normal', mean: 0, std }, BigInt(seed), numel)
    const { first32, last8 } = row['kaiming_normal_ (atol)']!
    expectLike(values, { kind: 'normal', mean: 0, std }, hexWords(first32), std)
    expectLike(values.subarray(numel - 8), { kind: 'normal', mean: 0, std }, hexWords(last8), std)
  }
})

test.each(Object.keys(golden.gpu))('%s', (name) => {
  const { T, cases } = golden.gpu[name]!
  const known = Object.entries(torchCudaThreads).find(([gpu]) => name.startsWith(`${gpu} `))
  if (known !== undefined) expect(known[1]).toBe(T)
  for (const { seed, numel, philox_offset_after, rand_sha256_f32le, at, next_call_rand4 } of cases) {
    const rand = lawOf('rand')
    const values = draw(rand, BigInt(seed), numel, T)
    expect(hashOf(values)).toBe(rand_sha256_f32le)
    for (const [index, expected] of Object.entries(at)) {
      expect(hexOf(values[Number(index)]!)).toBe(expected.rand)
      const [normal] = draw(lawOf('randn'), BigInt(seed), numel, T, 0n, Number(index), 1)
      expect(Math.abs(normal! - floatOf(Number.parseInt(expected.randn, 16)))).toBeLessThanOrEqual(5.4e-7)
    }
    const offset = cudaOffsetStep(numel, launchThreads(numel, T))
    expect(offset).toBe(BigInt(philox_offset_after))
    expect(bitsOf(draw(rand, BigInt(seed), 4, T, offset))).toEqual(hexWords(next_call_rand4))
  }
})

test('published values of CUDA devices', () => {
  const { records } = loadVectors<{ records: Published[] }>('torch_cuda_published.json')
  for (const record of records) {
    const capacity =
      record.sm_count === null ? null : record.sm_count * Math.floor(record.max_threads_per_sm! / 256) * 256
    let offset = 0n
    for (const [, count] of record.prior_calls) offset += cudaOffsetStep(count, launchThreads(count, capacity))
    const law =
      record.op === 'rand'
        ? lawOf('rand')
        : ({ kind: 'normal', mean: record.args[0] ?? 0, std: record.args[1] ?? 1 } as const)
    const std = law.kind === 'normal' ? law.std : 1
    const printed = record.printed_decimals === 'f32' ? 0 : 0.5001 * 10 ** -record.printed_decimals
    for (const [index, value] of Object.entries(record.values)) {
      const [ours] = draw(law, BigInt(record.seed), record.numel, capacity, offset, Number(index), 1)
      const bound = record.op === 'rand' ? printed : printed + 1.5e-6 * std
      if (bound === 0) expect(ours).toBe(Math.fround(value))
      else expect(Math.abs(ours! - value)).toBeLessThanOrEqual(bound)
    }
  }
})

interface Published {
  op: string
  seed: number
  numel: number
  prior_calls: [string, number][]
  sm_count: number | null
  max_threads_per_sm: number | null
  args: number[]
  printed_decimals: number | 'f32'
  values: Record<string, number>
}

test('curandUniform and roundToFloat at the edges', () => {
  const edges =
    loadVectors<Record<string, Record<string, string>>>('streams.json')[
      'f32 u01: torch CPU (u & 0xffffff)*2^-24; torch CUDA rn(u)*2^-32+2^-33 then 1->0; JAX (u>>9|0x3f800000)-1'
    ]!
  const inputs = hexWords(edges.inputs!)
  expect(inputs.map((x) => hexOf(curandUniform(x))).join('')).toBe(edges.curand_uniform)
  expect(inputs.map((x) => hexOf(roundToFloat(x))).join('')).toBe(edges.u32_to_f32_rne)
})

test('GPU names', () => {
  expect(threadsOfGpu('NVIDIA GeForce RTX 4090')).toBe(196608)
  expect(threadsOfGpu('tesla t4')).toBe(40960)
  expect(() => threadsOfGpu('RTX 9999')).toThrow(/unknown gpu "RTX 9999"; known: GTX 1050, .*threads = 256 \* SMs/)
})
