// What one pass over the weights measures: on the device, on the CPU and directly in float64.
import { describe, expect, test } from 'vitest'
import {
  embedding,
  type InitializedModel,
  initializeModel,
  type Model,
  type ParameterStatistics,
} from '../../src/index.js'
import { adapterName, requestDefaultLimitsDevice, useDevice } from '../support/gpu.js'
import { fixSpeed } from '../support/track.js'

const gpu = useDevice()

/** Two passes in float64. */
function direct(values: Float32Array): Pick<ParameterStatistics, 'count' | 'mean' | 'std' | 'skewness' | 'kurtosis'> {
  const finite = values.filter((x) => Number.isFinite(x))
  const count = finite.length
  let mean = 0
  for (const x of finite) mean += x / count
  const power = (k: number): number => finite.reduce((sum, x) => sum + (x - mean) ** k, 0) / count
  const variance = power(2)
  return {
    count,
    mean,
    std: Math.sqrt(variance),
    skewness: power(3) / variance ** 1.5,
    kurtosis: power(4) / variance ** 2,
  }
}

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.max(Math.abs(b), 1e-300)

async function expectSame(weights: InitializedModel, reference: InitializedModel): Promise<void> {
  const onDevice = await weights.statistics()
  const onCpu = await reference.statistics()
  expect([...onDevice.keys()]).toEqual([...onCpu.keys()])
  for (const [name, got] of onDevice) {
    const want = onCpu.get(name)!
    // Counted, hence equal.
    for (const key of ['count', 'min', 'max', 'nonFiniteCount', 'zeroCount', 'histogram', 'expected'] as const) {
      expect(got[key], `${name} ${key}`).toEqual(want[key])
    }
    const { std } = want
    expect(Math.abs(got.mean - want.mean), `${name} mean`).toBeLessThanOrEqual(1e-6 * std)
    expect(Math.abs(got.std ** 2 - std ** 2), `${name} variance`).toBeLessThanOrEqual(1e-6 * std ** 2)
    for (const key of ['skewness', 'kurtosis', 'lagCorrelation', 'rowCorrelation'] as const) {
      if (Number.isNaN(want[key])) expect(got[key], `${name} ${key}`).toBeNaN()
      else
        expect(Math.abs(got[key] - want[key]), `${name} ${key}`).toBeLessThan(2e-5 * Math.max(1, Math.abs(want[key])))
    }
  }
}

describe(`statistics on ${adapterName}`, () => {
  const distributions = [
    ['normal', { mean: 0, std: 0.02 }],
    ['normal', { mean: 1000, std: 0.5 }],
    ['uniform', { a: -0.3, b: 7.7 }],
    ['xavier', {}],
    ['trunc_normal', { mean: 0, std: 1, a: -2, b: 2 }],
    ['sparse', { sparsity: 0.3 }],
    ['ones', {}],
    ['eye', {}],
  ] as const

  test.each(distributions)(
    '%s %j: the device and the CPU count the same and agree within 1e-6',
    async (name, config) => {
      // Odd lengths; 16-bit tails; more than one workgroup.
      const model: Model = {
        parameters: [
          { name: 'a', shape: [211, 307] },
          { name: 'b', shape: [7, 3], dtype: 'float16' },
          { name: 'c', shape: [129, 255], dtype: 'bfloat16' },
          { name: 'd', shape: [1, 1] },
          { name: 'e', shape: [131, 67], dtype: 'float8_e5m2' },
          // Its largest number is 448.
          ...('mean' in config && config.mean === 1000 ? [] : [{ name: 'f', shape: [35, 35], dtype: 'float8_e4m3fn' }]),
        ].map((spec) => ({ ...spec, role: 'weight' as const })) as Model['parameters'],
      }
      const weights = await initializeModel(model, name, config, { device: gpu.device, seed: 5 })
      const reference = await initializeModel(model, name, config, { device: 'cpu', seed: 5 })
      await expectSame(weights, reference)
      weights.destroy()
    },
  )

  test('2^22 normals: mean within 1e-6 std, variance within 1e-6 relative, of float64 over the same values', async () => {
    const model = { parameters: [{ name: 'w', shape: [2048, 2048] }] }
    const weights = await initializeModel(model, 'normal', { std: 0.02 }, { device: gpu.device, seed: 9 })
    const got = (await weights.statistics()).get('w')!
    const want = direct(await weights.read('w'))
    expect(got.count).toBe(want.count)
    expect(Math.abs(got.mean - want.mean)).toBeLessThan(1e-6 * want.std)
    expect(relative(got.std ** 2, want.std ** 2)).toBeLessThan(1e-6)
    expect(Math.abs(got.skewness - want.skewness)).toBeLessThan(1e-5)
    expect(relative(got.kurtosis, want.kurtosis)).toBeLessThan(1e-5)
    weights.destroy()
  })

  test('through windows, with a padding row and ties', async () => {
    const device = await requestDefaultLimitsDevice()
    const limited = { device, seed: 3 }
    // 128.4 MiB: more than the 128 MiB that may be bound.
    const model: Model = {
      parameters: [
        { name: 'big', shape: [4099, 8209], dtype: 'float32' },
        ...embedding(1001, 37, { paddingIndex: 5 }).parameters.map((p) => ({ ...p, name: 'embedding' })),
        { name: 'tied', shape: [1001, 37], tiedTo: 'embedding' },
      ],
    }
    const weights = await initializeModel(model, 'normal', { mean: 0.5, std: 0.02 }, limited)
    const got = await weights.statistics()
    expect([...got.keys()]).toEqual(['big', 'embedding'])
    const big = got.get('big')!
    expect(big.count).toBe(4099 * 8209)
    expect(big.histogram!.counts.reduce((a, b) => a + b)).toBe(big.count)
    // Five standard errors.
    expect(Math.abs(big.lagCorrelation)).toBeLessThan(5 / Math.sqrt(big.count))
    expect(Math.abs(big.rowCorrelation)).toBeLessThan(5 / Math.sqrt(big.count))
    const padded = got.get('embedding')!
    expect(padded).toMatchObject({ count: 1001 * 37, zeroCount: 37 })
    // The padding is no draw.
    expect(padded.histogram!.counts.reduce((a, b) => a + b)).toBe(1000 * 37)
    weights.destroy()
    device.destroy()
  })

  test('a slice, and an odd 16-bit run behind a padding row', async () => {
    const model: Model = {
      parameters: [
        { name: 'w', shape: [300, 77] },
        ...embedding(101, 33, { paddingIndex: 0 }).parameters.map((p) => ({
          ...p,
          name: 'e',
          dtype: 'float16' as const,
        })),
      ],
    }
    const options = { seed: 8, slice: { w: { start: [13, 5], end: [290, 70] } } }
    const weights = await initializeModel(model, 'normal', { std: 2 }, { ...options, device: gpu.device })
    const reference = await initializeModel(model, 'normal', { std: 2 }, { ...options, device: 'cpu' })
    await expectSame(weights, reference)
    weights.destroy()
  })

  test('values that float32 sums cannot hold are measured by the host', async () => {
    const model = { parameters: [{ name: 'w', shape: [100, 100] }] }
    const weights = await initializeModel(model, 'normal', { std: 0.02 }, { device: gpu.device, seed: 9 })
    const values = Float32Array.from({ length: 10_000 }, (_, i) => (i % 3) * 1e30)
    gpu.device.queue.writeBuffer(weights.get('w').buffer, 0, values)
    const got = (await weights.statistics()).get('w')!
    const want = direct(values)
    expect(relative(got.mean, want.mean)).toBeLessThan(1e-12)
    expect(relative(got.std, want.std)).toBeLessThan(1e-12)
    weights.destroy()
  })

  test('3,000 parameters take a handful of submits and one readback', async () => {
    fixSpeed(gpu.device)
    const parameters = Array.from({ length: 3000 }, (_, i) => ({ name: `p${i}`, shape: [4, 4 + (i % 7)] }))
    const weights = await initializeModel({ parameters }, 'normal', {}, { device: gpu.device, seed: 9 })
    const { queue } = gpu.device
    const { submit } = queue
    let submits = 0
    queue.submit = (commands) => {
      submits++
      return submit.call(queue, commands)
    }
    const before = gpu.liveBuffers()
    try {
      expect((await weights.statistics()).size).toBe(3000)
    } finally {
      queue.submit = submit
    }
    expect(submits).toBeLessThan(20)
    expect(gpu.liveBuffers(), 'nothing is left').toBe(before)
    weights.destroy()
  })
})
