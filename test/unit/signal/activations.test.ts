// Every activation that propagateSignal knows: its values and derivatives are real PyTorch's, it has a layer, and what its record
// says of scales holds.
import { expect, test } from 'vitest'
import { initializeModel, linear, propagateSignal, reluSquared, sequential } from '../../../src/index.js'
import { activationLayers } from '../../../src/model/activations.js'
import {
  activationDegree,
  activationKinds,
  activationSlope,
  activationValue,
  centredGainOf,
  slopesAt,
  torchActivation,
} from '../../../src/signal/activations.js'
import torch from '../../vectors/torch_activations.json' with { type: 'json' }

const negativeSlope = 0.2

test('the vectors, the records and the layers are of the same activations', () => {
  expect(Object.keys(torch.activations)).toEqual([...activationKinds])
  const layers = activationLayers()
  expect(Object.keys(layers)).toEqual([...activationKinds])
  for (const kind of activationKinds) expect(layers[kind]().layer?.kind).toBe(kind)
})

test.each(activationKinds)('%s: values and derivatives of PyTorch', (kind) => {
  const activation = { kind, negativeSlope }
  const recorded = torch.activations[kind]
  expect(torchActivation(activation)).toContain(recorded.torch.split('(')[0])
  const [f, df] = [activationValue(activation), activationSlope(activation)]
  torch.x.forEach((x, i) => {
    const [value, slope] = [recorded.value[i]!, recorded.slope[i]!]
    // 1e-12, for the erf of the normal distribution; PyTorch's softplus is x itself from 20 on.
    expect(Math.abs(f(x) - value), `f(${x})`).toBeLessThanOrEqual(
      1e-12 * Math.max(1, Math.abs(value)) + (x > 20 ? 3e-9 : 0),
    )
    expect(Math.abs(df(x) - slope), `f'(${x})`).toBeLessThanOrEqual(
      1e-12 * Math.max(1, Math.abs(slope)) + (x > 20 ? 3e-9 : 0),
    )
  })
})

test.each(activationKinds)('%s: its degree, and its slopes for tiny and huge x', (kind) => {
  const activation = { kind, negativeSlope }
  const f = activationValue(activation)
  const degree = activationDegree(activation)
  const isHomogeneous = (d: number): boolean => [-3, -0.4, 0.7, 2].every((x) => f(8 * x) === 8 ** d * f(x))
  expect([1, 2].filter(isHomogeneous)).toEqual(degree === undefined ? [] : [degree])
  for (const log2 of [-40, 40]) {
    const slopes = slopesAt(activation, log2)
    if (slopes === undefined) continue
    const x = 2 ** log2
    for (const [side, slope] of [-x, x].map((at, i) => [at, slopes[i]!] as const)) {
      expect(Math.abs(f(side) - slope * side)).toBeLessThanOrEqual(1e-6 * x)
    }
  }
})

test('relu squared: a signal of 2^60 or 2^-60 comes out squared, and its gradient is the slope there', async () => {
  const model = sequential(linear(64, 64, { bias: false }), reluSquared(), linear(64, 64, { bias: false }))
  const reports = await Promise.all(
    [-60, 0, 60].map(async (log2) => {
      const rule = (match: string, scale: number) =>
        ({ match, initializer: 'normal', config: { std: 0.125 * scale } }) as const
      const rules = [rule('0.weight', 2 ** (log2 / 2)), rule('2.weight', 1)]
      using weights = await initializeModel(model, rules, { device: 'cpu', seed: 7 })
      return await propagateSignal(model, weights, { batch: 8 })
    }),
  )
  const [tiny, plain, huge] = reports.map(({ layers }) => layers)
  const decades = (log2: number): number => log2 * Math.log10(2)
  for (const [layers, log2] of [
    [tiny, -60],
    [huge, 60],
  ] as const) {
    const shift = (layer: number, what: 'activations' | 'gradients'): number =>
      layers![layer]![what].log10MeanSquare - plain![layer]![what].log10MeanSquare
    // Mean squares: the weights' factor 2^(log2 / 2) is squared, and by the activation squared again.
    expect(shift(0, 'activations')).toBeCloseTo(decades(log2), 5)
    expect(shift(1, 'activations')).toBeCloseTo(decades(2 * log2), 5)
    expect(shift(2, 'activations')).toBeCloseTo(decades(2 * log2), 5)
    expect(shift(1, 'gradients')).toBeCloseTo(0, 5)
    expect(shift(0, 'gradients')).toBeCloseTo(decades(log2), 5)
  }
})

test('relu squared at its own gain keeps the signal: sqrt(2/3)', () => {
  expect(centredGainOf({ kind: 'reluSquared', negativeSlope: 0 })).toBeCloseTo(Math.sqrt(2 / 3), 9)
})
