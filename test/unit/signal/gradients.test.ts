// Gradients against central differences, in float64: <c, f(x + h d)> - <c, f(x - h d)> over 2 h, for random directions d.
import { expect, test } from 'vitest'
import { CpuSignalKernels } from '../../../src/cpu/signal.js'
import * as nn from '../../../src/index.js'
import type { Model } from '../../../src/ir/parameter.js'
import { SignalRun } from '../../../src/signal/run.js'
import { signalSteps } from '../../../src/signal/steps.js'

const { conv1d, conv2d, conv3d, linear, layerNorm, batchNorm, residual, sequential } = nn
const inOut: Model = {
  parameters: [{ name: 'weight', shape: [6, 5], layout: 'in-out', role: 'weight' }],
  layer: { kind: 'linear', config: { inFeatures: 6, outFeatures: 5 } },
}

const { relu, gelu, silu, mish, elu, selu, softplus, tanh, sigmoid, softmax, hardswish, reluSquared } = nn
const activations = {
  ...{ relu, gelu, silu, mish, elu, selu, softplus, tanh, sigmoid, softmax, hardswish, reluSquared },
}

const cases: [string, Model, number[]][] = [
  ...Object.entries(activations).map(([name, activation]): [string, Model, number[]] => [
    name,
    sequential(linear(7, 6), activation(), linear(6, 5)),
    [7],
  ]),
  ['leakyRelu', sequential(linear(7, 6), nn.leakyRelu(0.2), linear(6, 5)), [7]],
  ['linear on tokens, in-out', sequential(linear(4, 6), inOut, nn.dropout(), nn.identityLayer()), [3, 4]],
  [
    'conv1d',
    sequential(conv1d(2, 3, 4, { padding: 2, dilation: 2 }), nn.tanh(), conv1d(3, 2, 2, { stride: 2 })),
    [2, 9],
  ],
  [
    'conv2d, strided, grouped, padded',
    sequential(
      conv2d(4, 6, [3, 2], { stride: [2, 1], padding: [1, 0], groups: 2 }),
      nn.gelu(),
      nn.flatten(),
      linear(72, 3),
    ),
    [4, 5, 5],
  ],
  [
    'conv2d, circular and dilated',
    sequential(conv2d(2, 3, 3, { padding: 2, dilation: 2, stride: 2, paddingMode: 'circular' }), nn.silu()),
    [2, 5, 4],
  ],
  ['conv3d', sequential(conv3d(1, 2, 2, { padding: [1, 0, 0] }), nn.elu()), [1, 2, 3, 3]],
  ['layerNorm of two axes', sequential(layerNorm([3, 4]), linear(4, 4), layerNorm(4), nn.tanh()), [3, 4]],
  [
    'batchNorm',
    sequential(conv1d(2, 3, 2), batchNorm(3), nn.tanh(), nn.flatten(), batchNorm(12), linear(12, 3)),
    [2, 5],
  ],
  [
    'residuals, nested, with a shortcut',
    sequential(
      residual(sequential(linear(5, 4), nn.tanh(), residual(linear(4, 4)), nn.gelu()), linear(5, 4)),
      residual(nn.identityLayer()),
      nn.tanh(),
    ),
    [5],
  ],
]

const batch = 3
const uniform = { match: /./, initializer: new nn.UniformInitializer({ a: -0.7, b: 0.9 }) }

test.each(cases)('%s', async (_, model, inputShape) => {
  using weights = await nn.initializeModel(model, [uniform], { device: 'cpu', seed: 5 })
  const steps = signalSteps(model, (name) => weights.held(name), inputShape)
  const kernels = new CpuSignalKernels(weights.store, (name) => weights.held(name), { batch, seed: 3 })
  const run = async (input: Float64Array) => {
    const cotangent = await kernels.random('c', batch * steps.at(-1)!.count)
    const ends = await new SignalRun(kernels, batch, () => {}).run(steps, input, cotangent)
    const scaled = ({ tensor, exponent }: typeof ends.output): Float64Array => tensor.map((v) => v * 2 ** exponent)
    const output = scaled(ends.output)
    return { loss: output.reduce((sum, v, i) => sum + v * cotangent[i]!, 0), gradient: scaled(ends.gradient) }
  }
  const count = batch * steps[0]!.inputCount
  const x = await kernels.random('x', count)
  const { gradient } = await run(x)
  expect(gradient.length).toBe(count)
  expect(Math.hypot(...gradient)).toBeGreaterThan(1e-3)
  const h = 1e-5
  for (let direction = 0; direction < 6; direction++) {
    const d = await kernels.random(`d${direction}`, count)
    const at = async (t: number): Promise<number> => (await run(x.map((v, i) => v + t * d[i]!))).loss
    const numeric = ((await at(h)) - (await at(-h))) / (2 * h)
    const exact = gradient.reduce((sum, g, i) => sum + g * d[i]!, 0)
    expect(Math.abs(numeric - exact)).toBeLessThan(1e-6 * Math.max(1, Math.hypot(...gradient)))
  }
})

// The same, where the signal is far from 1: exponents are kept apart, and activations become their slopes.
test.each([-40, 40])('a signal of 2^%i goes through the slopes of its activations', async (log2) => {
  const model = sequential(
    linear(6, 6),
    nn.selu(),
    linear(6, 6),
    nn.gelu(),
    linear(6, 6),
    nn.leakyRelu(0.1),
    nn.relu(),
    linear(6, 6),
  )
  const rules = [
    { match: '0.weight', initializer: new nn.UniformInitializer({ a: -0.7 * 2 ** log2, b: 0.9 * 2 ** log2 }) },
    { match: { role: 'bias' as const }, initializer: nn.zeros },
    uniform,
  ]
  using weights = await nn.initializeModel(model, rules, { device: 'cpu', seed: 5 })
  const steps = signalSteps(model, (name) => weights.held(name), undefined)
  const kernels = new CpuSignalKernels(weights.store, (name) => weights.held(name), { batch, seed: 3 })
  const run = async (scale: number) => {
    const input = (await kernels.random('x', batch * 6)).map((v) => v * scale)
    const cotangent = await kernels.random('c', batch * 6)
    return new SignalRun(kernels, batch, () => {}).run(steps, input, cotangent)
  }
  const one = await run(1)
  const two = await run(2)
  expect(Math.abs(one.output.exponent)).toBeGreaterThan(20)
  // Piecewise linear there: twice the input is twice the output, and the gradient is the same.
  one.output.tensor.forEach((value, i) => {
    const scaled = two.output.tensor[i]! * 2 ** (two.output.exponent - one.output.exponent)
    expect(Math.abs(scaled - 2 * value)).toBeLessThan(1e-6 * Math.abs(value) + 1e-9)
  })
  expect(two.gradient.tensor).toEqual(one.gradient.tensor)
})
