// Valid weights pass check() whatever their distribution, generator and dtype, and what rounding does to them. The script
// scripts/check-calibration.mjs does the same for as many models as there is time for.
import { describe, expect, test } from 'vitest'
import { byteWidth, floatDTypes } from '../../../src/core/dtype.js'
import { checkTensors, initializeModel, type Model, WeightInitError } from '../../../src/index.js'
import { encodeValues } from '../../support/encode.js'
import { randomModel } from '../../support/random-models.js'

test('480 random models: no p-value is small more often than it says', async () => {
  const rates = [1e-1, 1e-2, 1e-3, 1e-6]
  const below = rates.map(() => 0)
  let models = 0
  for (let seed = 0; seed < 480; seed++) {
    const { model, initializer, config, options } = randomModel(seed)
    const weights = await initializeModel(model, initializer as never, config, { ...options, device: 'cpu' }).catch(
      (error) => {
        if (error instanceof WeightInitError) return undefined
        throw error
      },
    )
    if (weights === undefined) continue
    models++
    const report = await weights.check()
    const smallest = Math.min(
      ...[...report.parameters.flatMap(({ tests }) => tests), ...report.model].map((t) => t.adjustedPValue),
    )
    for (const [i, rate] of rates.entries()) if (smallest <= rate) below[i]!++
    expect(report.failures, `seed ${seed}`).toEqual([])
  }
  expect(models).toBeGreaterThan(470)
  // Five standard deviations above a share that is at most the rate.
  for (const [i, rate] of rates.entries()) {
    expect(below[i]!, `at ${rate}`).toBeLessThanOrEqual(models * rate + 5 * Math.sqrt(models * rate) + 1)
  }
})

describe('valid weights that were refused', () => {
  const cases: [string, string, Record<string, unknown>, number[], string?][] = [
    ['an exact 0 of uniform(0, 1)', 'uniform', { a: 0, b: 1 }, [1200, 1000]],
    ['a narrow range away from 0', 'uniform', { a: 0.9999999, b: 1.0000004 }, [300, 100]],
    [
      'the same in PyTorch, which draws the end again',
      'uniform',
      { a: 0.9999999, b: 1.0000004 },
      [300, 100],
      'torch-cpu',
    ],
    ['a truncated normal of a few numbers around 1', 'truncated_normal', { mean: 1, std: 1e-6 }, [300, 100]],
    ['the same where the bounds lie between two numbers', 'truncated_normal', { mean: 1, std: 2.44e-8 }, [30, 29]],
    ["a far tail of JAX's", 'truncated_normal', { lower: 5.6, upper: 7.4, std: 0.03 }, [50, 50], 'jax'],
    ['a sparse matrix whose draws become 0', 'sparse', { sparsity: 0.3, std: 2e-7 }, [64, 64]],
    ['an orthogonal matrix with a tiny gain', 'orthogonal', { gain: 3e-6 }, [64, 64]],
    ['xavier', 'xavier', {}, [512, 512]],
  ]
  test.each(cases)('%s, in every dtype', async (_, initializer, config, shape, generator = 'philox') => {
    const model: Model = {
      parameters: floatDTypes.map((dtype) => ({ name: dtype, shape, dtype, role: 'weight' as const })),
    }
    for (let seed = 0; seed < 3; seed++) {
      const options = { device: 'cpu', seed, generator: generator as 'philox' } as const
      const weights = await initializeModel(model, initializer as never, config, options)
      expect((await weights.check()).failures, `seed ${seed}`).toEqual([])
    }
  })

  test('an exact 0 and a largest value at the ends of a range, which 24 bits reach', async () => {
    const values = Float32Array.from({ length: 40 }, (_, i) => ((i * 0.618034) % 1) * 0.98 + 0.01)
    const distribution = { kind: 'uniform', low: 0, high: 1 } as const
    const check = () => checkTensors('cpu', [{ name: 'w', shape: [40], distribution, buffer: values }])
    values[7] = 0
    values[9] = 1 - 2 ** -24
    expect((await check()).failures).toEqual([])
    values[7] = -1e-9
    expect((await check()).failures.map(({ test }) => test)).toContain('bounds')
  })
})

describe('faults that rounding must not hide', () => {
  const std = 0.05
  const faults: [string, string, (values: Float32Array) => void][] = [
    ['a block that is repeated', 'copies', (values) => void values.copyWithin(40_001, 10_000, 12_048)],
    ['a std 12 % low', 'variance', (values) => values.set(values.map((x) => x * 0.88))],
    ['a mean that is shifted', 'mean', (values) => values.set(values.map((x) => x + 0.003))],
    ['a window of zeros', 'zeros', (values) => void values.fill(0, 5000, 5256)],
    ['a value far out', 'extremes', (values) => void values.fill(0.5, 77, 78)],
  ]
  // Numbers of eight bits are too few to tell all of these.
  const wide = floatDTypes.filter((dtype) => byteWidth(dtype) > 1)
  test.each(wide.flatMap((dtype) => faults.map((fault) => [dtype, ...fault] as const)))(
    '%s: %s',
    async (dtype, _, found, change) => {
      const model: Model = { parameters: [{ name: 'w', shape: [512, 256], role: 'weight' }] }
      const weights = await initializeModel(model, 'normal', { std }, { device: 'cpu', seed: 4 })
      const values = await weights.read('w')
      change(values)
      const tensor = { name: 'w', shape: [512, 256], dtype, distribution: { kind: 'normal', mean: 0, std } } as const
      const report = await checkTensors('cpu', [{ ...tensor, buffer: encodeValues(values, dtype) }])
      expect(report.failures.map(({ test }) => test)).toContain(found)
    },
  )

  test('sparse: a zero too few, and far too many', async () => {
    for (const dtype of floatDTypes) {
      const shape = [64, 32]
      const model: Model = { parameters: [{ name: 'w', shape, role: 'weight', dtype }] }
      const weights = await initializeModel(model, 'sparse', { sparsity: 0.5 }, { device: 'cpu', seed: 4 })
      const values = await weights.read('w')
      const distribution = { kind: 'sparse', std: 0.01, rows: 64, columns: 32, zeros: 32 } as const
      const check = async () =>
        (
          await checkTensors('cpu', [{ name: 'w', shape, dtype, distribution, buffer: encodeValues(values, dtype) }])
        ).failures.map(({ test }) => test)
      expect(await check()).toEqual([])
      // Float8 rounds some draws to 0, which hides a single missing zero.
      if (byteWidth(dtype) > 1) {
        const fresh = values.slice()
        values[values.indexOf(0)] = 0.01
        expect(await check()).toContain('zeros')
        values.set(fresh)
      }
      values.fill(0, 0, 200)
      expect(await check()).toContain('zeros')
    }
  })
})

describe('options of the wrong type', () => {
  const small: Model = { parameters: [{ name: 'w', shape: [3], role: 'bias' }] }
  const bad: [string, unknown][] = [
    ['signal', 1],
    ['signal', null],
    ['signal', {}],
    ['signal', 'stop'],
  ]
  test.each(bad)('%s: %j', async (key, value) => {
    const weights = await initializeModel(small, 'zeros', {}, { device: 'cpu' })
    const options = { [key]: value }
    const expected = { name: 'WeightInitError', code: 'INVALID_ARGUMENT' }
    await expect(weights.check(options)).rejects.toMatchObject(expected)
    await expect(weights.verify(options)).rejects.toMatchObject(expected)
    await expect(weights.verify(options)).rejects.toThrow(/verify: signal must be an AbortSignal/)
    const tensor = { name: 'w', shape: [3], distribution: { kind: 'constant', value: 0 }, buffer: new Float32Array(3) }
    await expect(checkTensors('cpu', [tensor as never], options)).rejects.toMatchObject(expected)
  })
  test.each([[null], [1], ['all'], [[]]])('%j in place of options', async (options) => {
    const weights = await initializeModel(small, 'zeros', {}, { device: 'cpu' })
    const expected = { name: 'WeightInitError', code: 'INVALID_ARGUMENT' }
    await expect(weights.check(options as never)).rejects.toMatchObject(expected)
    await expect(weights.verify(options as never)).rejects.toMatchObject(expected)
  })
  test('onProgress that is no function', async () => {
    const weights = await initializeModel(small, 'zeros', {}, { device: 'cpu' })
    await expect(weights.verify({ onProgress: 1 as never })).rejects.toThrow(/onProgress must be a function/)
  })
})

test('check() is aborted during an orthogonal measurement', async () => {
  const model: Model = { parameters: [{ name: 'w', shape: [800, 800], role: 'weight' }] }
  const weights = await initializeModel(model, 'normal', {}, { device: 'cpu', seed: 1 })
  const distribution = {
    kind: 'orthogonal',
    gain: 1,
    batch: 1,
    rows: 800,
    columns: 800,
    field: 1,
    centre: 0,
    stride: 1,
  }
  const tensor = { name: 'w', shape: [800, 800], distribution, buffer: weights.get('w').buffer }
  const { signal } = new AbortController()
  // Looks at the signal while the products of the vectors are measured, and there it stops.
  signal.throwIfAborted = () => {
    if (new Error('where').stack!.includes('elementsError')) throw new Error('enough')
  }
  await expect(checkTensors('cpu', [tensor as never], { signal })).rejects.toThrow('enough')
})
