// The generators of PyTorch and JAX on the device: shader functions against their references, every bit of every draw against
// the CPU. Golden values: golden.test.ts, torch-models.test.ts.
import { describe, expect, test } from 'vitest'
import { byteWidth, type FloatDType, floatDTypes } from '../../src/core/dtype.js'
import { fillBytes } from '../../src/cpu/fill.js'
import { runJobs } from '../../src/gpu/run-jobs.js'
import { initializeModel, NormalInitializer, UniformInitializer } from '../../src/index.js'
import type { GeneratorOption, GeneratorSource, RandomDistribution } from '../../src/ir/generator.js'
import type { FillJob } from '../../src/ir/job.js'
import { cephesCosSin, cephesLog } from '../../src/random/libraries/cephes.js'
import { curandRadius, curandUniform, roundToFloat } from '../../src/random/libraries/curand.js'
import { erfInv } from '../../src/random/libraries/erf-inv.js'
import { exactSquareRoot, fusedMultiplyAdd, splitMultiplyAdd } from '../../src/random/libraries/fma.js'
import { threefry2x32 } from '../../src/random/libraries/threefry.js'
import { countDifferences } from '../support/bits.js'
import { hashOf } from '../support/golden/torch-cpu-hashes.js'
import { adapterName, mapOnGpu, readBuffer, testWords, useDevice } from '../support/gpu.js'

const gpu = useDevice()
const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)
const bitsOf = (x: number): number => {
  float[0] = x
  return bits[0]!
}
const floatOf = (b: number): number => {
  bits[0] = b
  return float[0]!
}
/** Random significands and signs, exponents from 2^-20 to 2^20. */
const operand = (word: number): number => (word & 0x807fffff) | ((107 + ((word >>> 8) % 41)) << 23)

async function wrong(
  imports: readonly string[],
  body: string,
  input: Uint32Array,
  reference: (x: Uint32Array) => readonly number[],
  slots: Readonly<Record<string, string>> = { mulAdd: 'random/libraries/mul_add_fused' },
): Promise<unknown> {
  const out = await mapOnGpu(gpu.device, imports, body, input, slots)
  let count = 0
  let first: unknown
  for (let i = 0; i < input.length; i += 4) {
    const x = input.subarray(i, i + 4)
    const expected = reference(x)
    if (expected.every((word, j) => word >>> 0 === out[i + j])) continue
    count++
    first ??= { input: [...x], expected, actual: [...out.subarray(i, i + 4)] }
  }
  return count === 0 ? undefined : { count, first }
}

describe(`shader functions on ${adapterName}`, () => {
  test('fusedMultiplyAdd and splitMultiplyAdd, near ties and cancellations too', async () => {
    const input = testWords(4 << 17, 7)
    for (let i = 0; i < input.length; i += 4) {
      for (let j = 0; j < 3; j++) input[i + j] = operand(input[i + j]!)
      const product = floatOf(input[i]!) * floatOf(input[i + 1]!)
      // A third near the negative product, a third far below it, so that the sum nearly vanishes or nearly ties.
      const kind = (i >> 2) % 3
      if (kind === 0) input[i + 2] = bitsOf(-product) + ((input[i + 3]! % 5) - 2)
      if (kind === 1) input[i + 2] = bitsOf(product * 2 ** -(20 + (input[i + 3]! % 10)))
    }
    const load = 'let a = bitcast<f32>(x.x); let b = bitcast<f32>(x.y); let c = bitcast<f32>(x.z);'
    const body = `${load} return vec4<u32>(bitcast<u32>(fusedMultiplyAdd(a, b, c, zero)), 0u, 0u, 0u);`
    expect(
      await wrong(['random/libraries/fma'], body, input, ([a, b, c]) => [
        bitsOf(fusedMultiplyAdd(floatOf(a!), floatOf(b!), floatOf(c!))),
      ]),
    ).toBeUndefined()
    const split = `${load} return vec4<u32>(bitcast<u32>(mulAdd(a, b, c, zero)), 0u, 0u, 0u);`
    expect(
      await wrong(['random/libraries/mul_add_split'], split, input, ([a, b, c]) => [
        bitsOf(splitMultiplyAdd(floatOf(a!), floatOf(b!), floatOf(c!))),
      ]),
    ).toBeUndefined()
  })

  test('exactSquareRoot: squares and their neighbours, every exponent', async () => {
    const input = testWords(4 << 16, 9)
    for (let i = 0; i < input.length; i += 4) {
      const root = floatOf((input[i]! & 0x7fffff) | 0x3f800000)
      const near = bitsOf(root * root) + ((input[i + 1]! % 7) - 3)
      const wild = (input[i]! & 0x7fffff) | ((27 + (input[i + 1]! % 200)) << 23)
      input[i] = i % 8 === 0 ? near : wild
    }
    input[0] = 0
    input[4] = 0x3f800000
    input[8] = 0x407fffff
    input[12] = 0x3f7fffff
    const body = 'return vec4<u32>(bitcast<u32>(exactSquareRoot(bitcast<f32>(x.x))), 0u, 0u, 0u);'
    expect(
      await wrong(['random/exact_square_root'], body, input, ([a]) => [bitsOf(exactSquareRoot(floatOf(a!)))]),
    ).toBeUndefined()
  })

  test.each([
    ['random/libraries/mul_add_fused', fusedMultiplyAdd],
    ['random/libraries/mul_add_split', splitMultiplyAdd],
  ] as const)('cephesLog and cephesCosSin with %s', async (mulAdd, reference) => {
    const input = testWords(4 << 16, 11)
    for (let i = 0; i < input.length; i += 4) {
      input[i] = i % 8 === 0 ? operand(input[i]!) & 0x7fffffff : bitsOf((0x1000000 - (input[i]! & 0xffffff)) * 2 ** -24)
      input[i + 1] = bitsOf(Math.fround(2 * Math.PI) * ((input[i + 1]! & 0xffffff) * 2 ** -24))
    }
    const pair = new Float32Array(2)
    const body =
      'let d = cephesCosSin(bitcast<f32>(x.y), zero); return bitcast<vec4<u32>>(vec4<f32>(cephesLog(bitcast<f32>(x.x), zero), d, 0.0));'
    const expected = ([x, y]: Uint32Array): readonly number[] => {
      cephesCosSin(pair, floatOf(y!), reference)
      return [bitsOf(cephesLog(floatOf(x!), reference)), bitsOf(pair[0]!), bitsOf(pair[1]!)]
    }
    expect(await wrong(['random/libraries/cephes'], body, input, expected, { mulAdd })).toBeUndefined()
  })

  test('roundToFloat, curandUniform, curandRadius and threefry2x32', async () => {
    const input = testWords(4 << 15, 13)
    const edges = [
      0, 1, 127, 128, 129, 0x7fffff, 0x800000, 0xffffff, 0x1000000, 0x1000001, 0x1000003, 0x7fffffc0, 0xffffff7f,
      0xffffff80, 0xffffffff,
    ]
    edges.forEach((word, i) => {
      input[4 * i] = word
    })
    const curand =
      'return bitcast<vec4<u32>>(vec4<f32>(roundToFloat(x.x), curandUniform(x.x, zero), curandRadius(x.x, zero), 0.0));'
    expect(
      await wrong(['random/libraries/curand'], curand, input, ([x]) => [
        bitsOf(roundToFloat(x!)),
        bitsOf(curandUniform(x!)),
        bitsOf(curandRadius(x!)),
      ]),
    ).toBeUndefined()
    const pair = new Uint32Array(2)
    const threefry = 'return vec4<u32>(threefry2x32(x.xy, x.zw), 0u, 0u);'
    const reference = ([a, b, c, d]: Uint32Array): readonly number[] => {
      threefry2x32(pair, a!, b!, c!, d!)
      return [pair[0]!, pair[1]!]
    }
    expect(await wrong(['random/libraries/threefry'], threefry, input, reference)).toBeUndefined()
  })

  test('erfInv', async () => {
    const input = testWords(4 << 15, 17)
    for (let i = 0; i < input.length; i += 4) input[i] = bitsOf((4 * (input[i]! >>> 9) + 1 - 0x1000000) * 2 ** -24)
    input[0] = bitsOf(-0.99999994)
    const body = 'return vec4<u32>(bitcast<u32>(erfInv(bitcast<f32>(x.x), zero)), 0u, 0u, 0u);'
    expect(
      await wrong(['random/libraries/erf_inv'], body, input, ([u]) => [bitsOf(erfInv(floatOf(u!)))]),
    ).toBeUndefined()
  })
})

const distributions: Readonly<Record<string, RandomDistribution>> = {
  'uniform[0,1)': { kind: 'uniform', low: 0, high: 1 },
  'uniform[-0.07,0.07)': { kind: 'uniform', low: -0.07, high: 0.07 },
  'uniform[2,5.5)': { kind: 'uniform', low: 2, high: 5.5 },
  'uniform[1e6,1e6+3)': { kind: 'uniform', low: 1e6, high: 1e6 + 3 },
  'normal(0,1)': { kind: 'normal', mean: 0, std: 1 },
  'normal(1.5,0.3)': { kind: 'normal', mean: 1.5, std: 0.3 },
}

function sources(count: number): Record<string, GeneratorSource> {
  const torch = { generator: 'torch-cpu', draw: 'normal', seed: 12345, position: 777, count } as const
  return {
    'torch-cpu': { ...torch, variant: 'fma' },
    'torch-cpu no-contraction': { ...torch, variant: 'no-contraction' },
    'torch-cpu with a kept normal': { ...torch, variant: 'fma', cachedAt: 12 },
    'torch-cuda': { generator: 'torch-cuda', seed: '16045690984503098046', offset: '17179869180', threads: 512 },
    'torch-stateless': { generator: 'torch-stateless', seed: '16045690984503098046', offset: '18446744073709551614' },
    jax: { generator: 'jax', key: [1, 0xdeadbeef], count },
    'jax-legacy': { generator: 'jax-legacy', key: [0xffffffff, 2], count },
  }
}

/** Runs a job into a buffer of 0xAA bytes and compares all of it: the elements, and that nothing else was touched. */
async function differences(fill: FillJob, byteOffset = 0, spare = 0): Promise<number> {
  const width = byteWidth(fill.dtype)
  const size = Math.ceil((byteOffset + fill.elementCount * width + spare) / 4) * 4
  const expected = new Uint8Array(size).fill(0xaa)
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const buffer = gpu.device.createBuffer({ size, usage })
  gpu.device.queue.writeBuffer(buffer, 0, expected)
  await runJobs(gpu.state, [{ job: fill, buffer, byteOffset }])
  expected.set(fillBytes(fill, 0, fill.elementCount), byteOffset)
  const actual = await readBuffer(gpu.device, buffer)
  buffer.destroy()
  return countDifferences(actual, expected, 1).count
}

const job = (
  distribution: RandomDistribution,
  generatorSource: GeneratorSource,
  dtype: FloatDType,
  firstElement: number,
  elementCount: number,
): FillJob => ({
  name: 'w',
  dtype,
  firstElement,
  elementCount,
  source: { kind: 'generator', distribution, generatorSource },
  patches: [],
})

describe(`parity with the CPU on ${adapterName}`, () => {
  test.each(Object.keys(sources(1)))('%s: every distribution, dtype and odd count', async (name) => {
    for (const distribution of Object.values(distributions)) {
      for (const dtype of floatDTypes) {
        for (const count of [1, 15, 17, 32, 1003]) {
          const bad = await differences(job(distribution, sources(count)[name]!, dtype, 0, count), 8, 12)
          if (bad !== 0) expect({ distribution, dtype, count, bad }).toEqual({ distribution, dtype, count, bad: 0 })
        }
      }
    }
  })

  test.each(Object.keys(sources(1)))('%s: any part of a parameter', async (name) => {
    const total = 5003
    for (const distribution of [distributions['uniform[2,5.5)']!, distributions['normal(1.5,0.3)']!]) {
      for (const [first, count] of [
        [1, 40],
        [16, 64],
        [100, 100],
        [4980, 23],
        [4987, 16],
        [4992, 11],
        [5002, 1],
        [4900, 95],
      ] as const) {
        const bad = await differences(job(distribution, sources(total)[name]!, 'float32', first, count), 4, 4)
        if (bad !== 0) expect({ distribution, first, count, bad }).toEqual({ distribution, first, count, bad: 0 })
      }
    }
  })

  test('torch-cpu over several uploads, the last of a few elements', async () => {
    const count = 2 ** 20 + 5
    for (const distribution of [distributions['uniform[-0.07,0.07)']!, distributions['normal(0,1)']!]) {
      expect(await differences(job(distribution, sources(count)['torch-cpu']!, 'bfloat16', 0, count), 260)).toBe(0)
    }
  })

  test('jax: elements beyond 2^32', async () => {
    const generatorSource = { generator: 'jax', key: [3, 4], count: 2 ** 34 } as const
    expect(await differences(job(distributions['normal(0,1)']!, generatorSource, 'float32', 2 ** 32 - 50, 100))).toBe(0)
    const legacy = { generator: 'jax-legacy', key: [3, 4], count: 2 ** 32 - 3 } as const
    expect(await differences(job(distributions['normal(0,1)']!, legacy, 'float32', 2 ** 31 - 50, 100))).toBe(0)
    expect(await differences(job(distributions['uniform[0,1)']!, legacy, 'float32', 2 ** 32 - 53, 50))).toBe(0)
  })
})

describe(`models on ${adapterName}`, () => {
  test.each([
    'torch-cpu',
    { name: 'torch-cuda', gpu: 'T4' },
    'torch-stateless',
    'jax',
    'jax-legacy',
  ] satisfies GeneratorOption[])('%j: verify, manifest and no buffer left behind', async (generator) => {
    const before = gpu.liveBuffers()
    const model = {
      parameters: [
        { name: 'a', shape: [64, 33] },
        { name: 'b', shape: [3, 5] },
        { name: 'bias', shape: [7] },
        { name: 'c', shape: [300, 170] },
      ],
    }
    const rules = [
      { match: 'b', initializer: new NormalInitializer({ mean: 1, std: 0.1 }) },
      { match: 'bias', initializer: 'zeros' },
      { match: 'c', initializer: new UniformInitializer({ a: -3, b: 9 }) },
      { match: '*', initializer: 'xavier_normal' },
    ]
    const weights = await initializeModel(model, rules as never, {
      device: gpu.device,
      seed: 3,
      generator,
      dtype: 'float16',
    })
    const report = await weights.verify()
    expect(report.mismatchCount).toBe(0)
    expect(report.comparedCount).toBe(report.elementCount)
    weights.destroy()
    expect(gpu.liveBuffers()).toBe(before)
  })

  test('a signal that aborts between two uploads frees everything', async () => {
    const before = gpu.liveBuffers()
    const controller = new AbortController()
    const model = {
      parameters: [
        { name: 'a', shape: [2 ** 20] },
        { name: 'b', shape: [2 ** 20 + 3] },
      ],
    }
    const call = initializeModel(model, [{ match: '*', initializer: 'uniform' }], {
      device: gpu.device,
      seed: 1,
      generator: 'torch-cpu',
      signal: controller.signal,
      onProgress: ({ bytesDone }) => {
        // The first piece: 2^16 float32. Nothing is heard after it.
        expect(bytesDone).toBe(2 ** 18)
        controller.abort()
      },
    })
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(gpu.liveBuffers()).toBe(before)
  })

  test('windows smaller than the buffer do not matter to uploads; offsets of any multiple of four', async () => {
    const distribution = distributions['normal(1.5,0.3)']!
    for (const byteOffset of [4, 248, 252, 256, 260, 1020]) {
      expect(await differences(job(distribution, sources(1003)['torch-cpu']!, 'float16', 0, 1003), byteOffset, 8)).toBe(
        0,
      )
    }
  })
})

describe(`distributions of several calls on ${adapterName}`, () => {
  const truncated: readonly [string, object][] = [
    ['trunc_normal', { std: 0.02 }],
    ['trunc_normal', {}],
    ['trunc_normal', { mean: 0.3, std: 0.4, a: 0.5, b: 2 }],
    ['truncated_normal', { mean: 1, std: 0.05, lower: -8, upper: 1 }],
    ['lecun_normal', {}],
  ]
  const cases: readonly [GeneratorOption, readonly [string, object][]][] = [
    ['torch-cpu', [...truncated, ['sparse', { sparsity: 0.4 }], ['orthogonal', { gain: 1.5 }]]],
    [{ name: 'torch-cpu', truncation: 'inversion', variant: 'no-contraction' }, truncated],
    [{ name: 'torch-cuda', gpu: 'T4' }, [...truncated, ['sparse', { sparsity: 0.4 }], ['orthogonal', {}]]],
    ['torch-stateless', [['orthogonal', {}]]],
    ['jax', [...truncated, ['orthogonal', { gain: 1.5 }], ['eye', {}]]],
    ['jax-legacy', [...truncated, ['orthogonal', {}]]],
  ]
  test.each(cases)('%j: the CPU bit for bit, orthogonal matrices within 2e-5', async (generator, distributions) => {
    const before = gpu.liveBuffers()
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const parameters = distributions.flatMap((_, l) =>
        [
          [3, 5],
          [40, 33],
          [21, 90],
        ].map((shape, s) => ({ name: `distribution${l}.${s}`, shape })),
      )
      const rules = distributions.map(([initializer, config], l) => ({
        match: `distribution${l}.*`,
        initializer,
        config: config as Record<string, unknown>,
      }))
      const options = { seed: 2n ** 63n + 5n, generator, dtype }
      const weights = await initializeModel({ parameters }, rules as never, { ...options, device: gpu.device })
      const reference = await initializeModel({ parameters }, rules as never, { ...options, device: 'cpu' })
      for (const { name } of parameters) {
        const actual = await weights.read(name)
        const expected = await reference.read(name)
        if (weights.get(name).distribution.kind === 'orthogonal') {
          const worst = actual.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0)
          expect(worst).toBeLessThanOrEqual(dtype === 'float32' ? 2e-5 : 2 ** -7)
        } else expect({ name, bits: hashOf(actual) }).toEqual({ name, bits: hashOf(expected) })
      }
      expect((await weights.verify()).mismatchCount).toBe(0)
      weights.destroy()
    }
    expect(gpu.liveBuffers()).toBe(before)
  })

  test('a delta-orthogonal kernel in the layout of JAX, and matrices of several experts', async () => {
    const parameters = [
      { name: 'conv', shape: [3, 3, 4, 16], layout: 'in-out' },
      { name: 'experts', shape: [3, 8, 20], batchAxes: 1 },
    ] as const
    const rules = [
      { match: 'conv', initializer: 'delta_orthogonal' },
      { match: 'experts', initializer: 'orthogonal' },
    ]
    for (const generator of ['jax', 'torch-cpu', 'torch-stateless'] as const) {
      const options = { seed: 9, generator }
      const weights = await initializeModel({ parameters }, rules as never, { ...options, device: gpu.device })
      const reference = await initializeModel({ parameters }, rules as never, { ...options, device: 'cpu' })
      for (const { name } of parameters) {
        const actual = await weights.read(name)
        const expected = await reference.read(name)
        expect(actual.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0)).toBeLessThanOrEqual(2e-5)
      }
      expect((await weights.verify()).ok).toBe(true)
      weights.destroy()
    }
  })
})
