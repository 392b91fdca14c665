// Tests of weights against their distributions, on the CPU: every fault is found, valid weights pass, p-values are what they say.

import { describe, expect, test } from 'vitest'
import { floatDTypes, floatFormats, largestFinite } from '../../../src/core/dtype.js'
import { float32Bits } from '../../../src/core/half.js'
import {
  type CheckedTensor,
  checkTensors,
  type Distribution,
  embedding,
  initializeModel,
  type Model,
  type TestName,
} from '../../../src/index.js'
import { holmAdjusted } from '../../../src/statistics/model-tests.js'
import { brokenWeights, normals } from '../../support/broken-weights.js'
import { expectRefusal } from '../../support/refusal.js'

describe('faults', () => {
  test.each(brokenWeights().map((b) => [b.name, b] as const))('%s', async (_, { tensors, found, names }) => {
    const report = await checkTensors(
      'cpu',
      tensors.map(({ values, ...tensor }) => ({ ...tensor, buffer: values })),
    )
    expect(report.ok).toBe(false)
    const failure = report.failures.find(({ test }) => test === found)
    expect(failure, JSON.stringify(report.failures)).toBeDefined()
    expect([...failure!.parameters].sort()).toEqual(names)
    // Nobody else is blamed.
    for (const { parameters } of report.failures) for (const name of parameters) expect(names).toContain(name)
  })

  test.each(['float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2'] as const)(
    '%s of a distribution that the dtype cannot hold is told apart',
    async (dtype) => {
      // N(100, 0.05): float16 has a number every 1/16, bfloat16 every 1/2, float8_e4m3fn every 8, float8_e5m2 every 16.
      const distribution: Distribution = { kind: 'normal', mean: 100, std: 0.05 }
      const { encode, byteWidth } = floatFormats[dtype]
      const Patterns = byteWidth === 1 ? Uint8Array : Uint16Array
      // Far enough for another number of the dtype.
      const aside = byteWidth === 1 ? 12 : 0.6
      const make = (mean: number): CheckedTensor => ({
        name: 'w',
        shape: [200, 100],
        dtype,
        distribution,
        buffer: new Patterns(Array.from(normals(20_000, 0.05, 6), (x) => encode(float32Bits(Math.fround(x + mean))))),
      })
      expect((await checkTensors('cpu', [make(100)])).failures).toEqual([])
      expect((await checkTensors('cpu', [make(100 + aside)])).ok).toBe(false)
    },
  )
})

describe('valid weights', () => {
  const distributions: [string, Record<string, unknown>][] = [
    ['normal', { std: 0.02 }],
    ['normal', { mean: 1000, std: 0.5 }],
    ['uniform', { a: -0.3, b: 7.7 }],
    ['xavier', {}],
    ['kaiming', {}],
    ['lecun_normal', {}],
    ['trunc_normal', { mean: 0.5, std: 0.3, a: 0.4, b: 100 }],
    ['trunc_normal', { a: 7, b: 8 }],
    ['sparse', { sparsity: 0.3 }],
    ['orthogonal', {}],
    ['eye', {}],
    ['ones', {}],
  ]
  test.each(distributions)('%s %j passes at every size and dtype, for 20 seeds', async (name, config) => {
    const model: Model = {
      // float8_e4m3fn ends at 448.
      parameters: floatDTypes
        .filter((dtype) => largestFinite(dtype) > 1004 || config.mean !== 1000)
        .flatMap((dtype) =>
          [
            [1, 1],
            [2, 3],
            [17, 31],
            [120, 90],
          ].map((shape) => ({ name: `${dtype} ${shape.join('x')}`, shape, dtype, role: 'weight' as const })),
        ),
    }
    for (let seed = 0; seed < 20; seed++) {
      const weights = await initializeModel(model, name as never, config, { device: 'cpu', seed })
      // False alarms: at most 20 x 12 distributions x 1e-6 = 2.4e-4; the seeds are fixed.
      expect((await weights.check()).failures, `seed ${seed}`).toEqual([])
    }
  })

  test.each([
    ['normal', { std: 0.002 }],
    ['normal', { std: 0.02 }],
    ['uniform', { a: -0.3, b: 0.7 }],
    ['sparse', { sparsity: 0.3 }],
  ] as const)('float8, where many elements share a number: %s %j passes at 250,000 elements', async (name, config) => {
    const parameters = (['float8_e4m3fn', 'float8_e5m2'] as const).map((dtype) => ({
      ...{ name: dtype, shape: [500, 500], dtype, role: 'weight' as const },
    }))
    for (const slice of [{}, { float8_e4m3fn: { start: [10, 0], end: [400, 500] } }]) {
      const weights = await initializeModel({ parameters }, name, config, { device: 'cpu', seed: 8, slice })
      expect((await weights.check()).failures).toEqual([])
    }
    // Every magnitude one number larger: that is found.
    const weights = await initializeModel({ parameters }, name, config, { device: 'cpu', seed: 8 })
    const bytes = new Uint8Array(weights.get('float8_e4m3fn').buffer as unknown as ArrayBuffer)
    bytes.forEach((byte, i) => {
      bytes[i] = byte + 1
    })
    expect((await weights.check()).failures.flatMap((failure) => failure.parameters)).toContain('float8_e4m3fn')
  })

  test('a padding row, a slice, and another library’s generator', async () => {
    const model: Model = {
      parameters: [
        ...embedding(300, 40, { paddingIndex: 7 }).parameters.map((p) => ({ ...p, name: 'e' })),
        { name: 'w', shape: [300, 77] },
      ],
    }
    const slice = { w: { start: [13, 5], end: [290, 70] } }
    const part = await initializeModel(model, 'normal', { mean: 0.1, std: 0.02 }, { device: 'cpu', seed: 1, slice })
    expect((await part.check()).failures).toEqual([])
    for (const generator of ['torch-cpu', 'torch-cuda', 'jax', 'jax-legacy', 'torch-stateless'] as const) {
      for (const distribution of ['normal', 'uniform']) {
        const weights = await initializeModel(model, distribution as never, {}, { device: 'cpu', seed: 1, generator })
        expect((await weights.check()).failures, `${generator} ${distribution}`).toEqual([])
      }
    }
    // The padding row is looked at.
    new Float32Array(part.get('e').buffer as unknown as ArrayBuffer)[7 * 40 + 3] = 1e-9
    expect((await part.check()).failures.map(({ test }) => test)).toEqual(['padding'])
  })
})

/** p-values of every test by name, over tensors with seeds 0, 1, ... */
async function pValues(
  distribution: Distribution,
  initializer: string,
  config: object,
  shape: number[],
  seeds: number,
) {
  const found = new Map<TestName, number[]>()
  for (let seed = 0; seed < seeds; seed++) {
    const model = { parameters: [{ name: 'w', shape, role: 'weight' as const }] }
    const weights = await initializeModel(model, initializer as never, config as Record<string, unknown>, {
      device: 'cpu',
      seed,
    })
    expect(weights.get('w').distribution.kind).toBe(distribution.kind)
    for (const { test: name, pValue } of (await weights.check()).parameters[0]!.tests) {
      const list = found.get(name) ?? []
      list.push(pValue)
      found.set(name, list)
    }
  }
  return found
}

describe('p-values', () => {
  const cases: [string, Distribution['kind'], object][] = [
    ['normal', 'normal', { std: 0.3 }],
    ['uniform', 'uniform', { a: -1, b: 3 }],
    ['trunc_normal', 'truncated-normal', { mean: 0.5, std: 0.3, a: 0.4, b: 1 }],
  ]
  test.each(cases)(
    'of %s: none is small more often than it says, at 5, 90 and 1200 elements',
    async (name, kind, config) => {
      for (const shape of [
        [5, 1],
        [9, 10],
        [30, 40],
      ]) {
        const seeds = 400
        for (const [testName, list] of await pValues({ kind } as Distribution, name, config, shape, seeds)) {
          for (const level of [0.3, 0.1, 0.03, 0.01]) {
            const below = list.filter((p) => p <= level).length
            // Binomial with at most this share; 5.5 std above it has a probability below 1e-7, for each of some 250.
            const limit = seeds * level + 5.5 * Math.sqrt(seeds * level * (1 - level)) + 1
            expect(below, `${testName} of ${shape} at ${level}`).toBeLessThan(limit)
          }
        }
      }
    },
  )

  test('of mean, variance and correlations of normals are uniform', async () => {
    const seeds = 600
    const found = await pValues({ kind: 'normal', mean: 0, std: 1 }, 'normal', {}, [60, 40], seeds)
    for (const name of ['mean', 'variance', 'lag correlation', 'row correlation'] as const) {
      const sorted = [...found.get(name)!].sort((a, b) => a - b)
      expect(sorted).toHaveLength(seeds)
      const distance = Math.max(...sorted.map((p, i) => Math.max((i + 1) / seeds - p, p - i / seeds)))
      // Massart: 2 exp(-2 n D^2) = 1e-6.
      expect(distance, name).toBeLessThan(Math.sqrt(Math.log(2e6) / 2 / seeds))
    }
  })

  test('are shared out by Holm: the example of the step-down', () => {
    const adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005])
    expect(adjusted.map((p) => Number(p.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02])
  })
})

describe('bad input', () => {
  const values = new Float32Array(6)
  const good: CheckedTensor = {
    name: 'w',
    shape: [2, 3],
    distribution: { kind: 'normal', mean: 0, std: 1 },
    buffer: values,
  }
  const cases: [string, unknown, Parameters<typeof expectRefusal>[1], string[]][] = [
    ['no tensors', [], 'INVALID_ARGUMENT', ['at least one tensor']],
    ['an empty buffer', [{ ...good, buffer: new Float32Array(0) }], 'INVALID_BUFFER', ['tensor["w"]', '24', '0']],
    ['a buffer that is too small', [{ ...good, shape: [2, 4] }], 'INVALID_BUFFER', ['tensor["w"]', '32', '24']],
    ['a shape with a zero', [{ ...good, shape: [0, 3] }], 'INVALID_SHAPE', ['"w"', 'zero-element']],
    ['no shape', [{ ...good, shape: undefined }], 'INVALID_SHAPE', ['"w"']],
    [
      'an unknown distribution',
      [{ ...good, distribution: { kind: 'cauchy' } }],
      'INVALID_CONFIG',
      ['cauchy', 'known kinds', 'normal'],
    ],
    [
      'a distribution that is none',
      [{ ...good, distribution: { kind: 'normal', mean: 0, std: -1 } }],
      'INVALID_CONFIG',
      ['std'],
    ],
    [
      'a distribution of another shape',
      [{ ...good, distribution: { kind: 'sparse', std: 1, rows: 3, columns: 3, zeros: 1 } }],
      'INVALID_SHAPE',
      ['6 elements', '9'],
    ],
    ['two of one name', [good, good], 'INVALID_ARGUMENT', ['tensors[1]', '"w"']],
    ['an unknown key', [{ ...good, std: 1 }], 'INVALID_ARGUMENT', ['tensors[0]', '"std"']],
    ['an unknown dtype', [{ ...good, dtype: 'float64' }], 'UNSUPPORTED_DTYPE', ['float64', 'float32']],
    ['no buffer', [{ ...good, buffer: [1, 2] }], 'INVALID_BUFFER', ['tensor["w"]', 'ArrayBuffer']],
  ]
  test.each(cases)('%s', async (_, tensors, code, fragments) => {
    await expectRefusal(() => checkTensors('cpu', tensors as CheckedTensor[]), code, ...fragments)
  })
  test.each([0, 1, -1, Number.NaN, '0.1'])('a false-alarm rate of %s', async (falseAlarmRate) => {
    await expectRefusal(
      () => checkTensors('cpu', [good], { falseAlarmRate: falseAlarmRate as number }),
      'INVALID_ARGUMENT',
      'falseAlarmRate',
      '(0, 1)',
    )
  })
  test('a device that is none', async () => {
    await expectRefusal(() => checkTensors({} as GPUDevice, [good]), 'INVALID_ARGUMENT', 'GPUDevice')
  })
})
