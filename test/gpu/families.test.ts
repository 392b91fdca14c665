// Every row of the table of initializers, in every dtype: GPU equals CPU. Custom samplers, patches, compile errors.

import { describe, expect, test } from 'vitest'
import { byteWidth, floatDTypes } from '../../src/core/dtype.js'
import {
  defineSampler,
  embedding,
  initializeModel,
  initializeTensor,
  lstm,
  type Model,
  minusTwoLog,
  normal,
  sequential,
  sinusoidal,
  WeightInitError,
} from '../../src/index.js'
import { countDifferences } from '../support/bits.js'
import { families, haar } from '../support/families.js'
import { adapterName, readBuffer, useDevice } from '../support/gpu.js'
import { largestDifference } from '../support/matrices.js'
import { ksDistance, ksLimit, momentScores } from '../support/references/distributions.js'

const gpu = useDevice()
const seed = 20_261
const rows = families.map((family) => [family.name, family.cases.length, family] as const)
const dtypes = floatDTypes

const laplace = defineSampler({
  name: 'laplace',
  parameters: { scale: 'f32', flip: 'u32', shift: 'i32' },
  wgsl: [
    '//#import "random/logarithm"',
    'fn sample(word: u32, params: Params, zero: u32) -> f32 {',
    '  let v = f32(word >> 9u) * 0x1p-23f + 0x1p-24f;',
    '  let magnitude = rounded(rounded(minusTwoLog(v, zero), zero) * 0.5 * params.scale, zero);',
    '  return select(magnitude, -magnitude, ((word ^ params.flip) & 1u) == 1u) + f32(params.shift);',
    '}',
  ].join('\n'),
  sample(word, { scale, flip, shift }) {
    const magnitude = Math.fround(minusTwoLog((word >>> 9) * 2 ** -23 + 2 ** -24) * 0.5 * scale)
    return Math.fround(((word ^ flip) & 1) === 1 ? shift - magnitude : shift + magnitude)
  },
  moments: ({ scale, shift }) => ({ mean: shift, std: Math.SQRT2 * scale }),
})
const laplaceParameters = { scale: 0.3, flip: 0xffffffff, shift: -2 }

/** The device makes the CPU's bits. */
async function expectBits(model: Model, initializer: unknown, options: object = {}): Promise<void> {
  const make = (device: GPUDevice | 'cpu') =>
    initializeModel(model, initializer as never, { ...options, device, seed } as never)
  using weights = await make(gpu.device)
  using reference = await make('cpu')
  for (const [name, { elementCount, byteLength }] of weights.parameters) {
    const [ours, theirs] = [await weights.readBytes(name), await reference.readBytes(name)]
    expect(countDifferences(ours, theirs, byteLength / elementCount), name).toEqual({ count: 0, first: -1 })
  }
}

/** The same, and that verify() says so. */
async function expectParity(model: Model, initializer: unknown, options: object = {}): Promise<void> {
  await expectBits(model, initializer, options)
  using weights = await initializeModel(model, initializer as never, { ...options, device: gpu.device, seed } as never)
  expect((await weights.verify()).ok).toBe(true)
}

describe(`initializer families on ${adapterName}`, () => {
  // The same parameters, settings and seed as in test/unit/initializers/family-distributions.slow.test.ts: what these bits
  // are tested for there, they are here.
  test.each(rows.filter(([, , { bitExact }]) => bitExact))(
    '%s: the CPU’s bits in every dtype',
    async (name, _, { cases }) => {
      for (const { model, config } of cases) {
        for (const dtype of dtypes) await expectBits(model, [{ match: '*', initializer: name, config }], { dtype })
      }
    },
  )

  test.each(dtypes)('sinusoidal: odd parts, and the caller’s buffer beside what is not his, in %s', async (dtype) => {
    const model = { parameters: [{ name: 'p', shape: [90, 12], role: 'embedding' as const }] }
    await expectParity(model, sinusoidal, { dtype, slice: { p: { start: [5, 3], end: [10, 10] } } })
    const bytes = 1080 * byteWidth(dtype)
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC
    const buffer = gpu.device.createBuffer({ size: bytes + 8, usage })
    const into = { p: { buffer, byteOffset: 4 } }
    using weights = await initializeModel(model, 'sinusoidal', {}, { device: gpu.device, seed, dtype, into })
    expect((await weights.verify()).ok).toBe(true)
    using whole = await initializeModel(model, 'sinusoidal', {}, { device: 'cpu', seed, dtype })
    const expected = new Uint8Array(bytes + 8)
    expected.set(await whole.readBytes('p'), 4)
    expect(await readBuffer(gpu.device, buffer)).toEqual(expected)
    buffer.destroy()
  })

  test('orthogonal: the distribution of the sphere in every place, as on the CPU', async () => {
    const { model, config, samples } = haar(300, 5, 4, 1)
    using weights = await initializeModel(model, 'orthogonal', config, { device: gpu.device, seed })
    using reference = await initializeModel(model, 'orthogonal', config, { device: 'cpu', seed })
    const values = await weights.read('w')
    expect(largestDifference(values, await reference.read('w'))).toBeLessThan(2e-4)
    for (const { what, values: sample, distribution } of samples(new Map([['w', values]]))) {
      expect(ksDistance(sample, distribution, 'float32'), what).toBeLessThan(ksLimit(sample.length))
      const { mean, variance } = momentScores(sample, distribution)
      expect(Math.abs(mean), what).toBeLessThan(6)
      expect(Math.abs(variance), what).toBeLessThan(6)
    }
  })

  test.each(dtypes)('PyTorch’s defaults over an LSTM and an embedding with a padding row, %s', async (dtype) => {
    const model = sequential({ emb: embedding(13, 7, { paddingIndex: 4 }), rec: lstm(7, 5, { bidirectional: true }) })
    await expectParity(model, [{ match: '*', initializer: 'torch_default' }], { dtype })
    await expectParity(model, [{ match: '*', initializer: 'torch_default' }], { dtype, buffers: 'packed' })
  })

  test.each(dtypes)('a padding row inside the caller’s buffer leaves its neighbours alone, %s', async (dtype) => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const buffer = gpu.device.createBuffer({ size: 4096, usage })
    const into = { weight: { buffer, byteOffset: 20 } }
    for (const paddingIndex of [0, 3, 8]) {
      const model = embedding(9, 5, { paddingIndex })
      const weights = await initializeModel(model, normal, { device: gpu.device, seed: 2, into, dtype })
      expect((await weights.verify()).ok).toBe(true)
      expect((await weights.read('weight')).subarray(5 * paddingIndex, 5 * paddingIndex + 5)).toEqual(
        new Float32Array(5),
      )
      weights.destroy()
    }
    buffer.destroy()
  })

  test('a sampler of the user’s own, in every dtype, with every kind of parameter', async () => {
    for (const dtype of dtypes) {
      await expectParity(
        { parameters: [{ name: 'w', shape: [101, 203], role: 'weight' }] },
        laplace(laplaceParameters),
        { dtype },
      )
    }
  })

  test('a CPU reference that differs from its shader is found by verify', async () => {
    const lying = defineSampler({
      name: 'lying',
      wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return f32(word >> 16u); }',
      sample: (word) => (word >>> 16) + (word >>> 31),
      moments: () => ({ mean: 32768, std: 18918 }),
    })
    using weights = await initializeTensor([100, 100], lying(), { device: gpu.device, seed: 1 })
    const { ok, mismatchCount } = await weights.verify()
    expect(ok).toBe(false)
    expect(mismatchCount).toBeGreaterThan(4000)
  })

  test('WGSL that does not compile: the message shows the user’s own line, and nothing is left behind', async () => {
    const broken = defineSampler({
      name: 'broken',
      wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 {\n  let x = nonsense(word);\n  return x;\n}',
      sample: () => 0,
      moments: () => ({ mean: 0, std: 1 }),
    })
    const live = gpu.liveBuffers()
    const error = await initializeTensor([4, 4], broken(), { device: gpu.device, seed: 1 }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(WeightInitError)
    expect((error as WeightInitError).code).toBe('SHADER')
    expect((error as Error).message).toMatch(/custom\/broken\.wgsl:2:11: [\s\S]*nonsense/)
    expect((error as Error).message).toContain('let x = nonsense(word);')
    expect(gpu.liveBuffers()).toBe(live)
  })
})
