// Signal propagation on the device against its CPU reference. A measurement: the device sums in float32 (relative rounding 6e-8,
// in blocks), the CPU reference in float64, and every layer adds its own; a chaotic network (tanh with gain 5/3) doubles what is left
// of it every four layers. Largest seen on SwiftShader over 50 layers: 1.4e-5 in log10 of a mean square; allowed: 1e-4,
// which is 0.023 %. A wrong layer, scale or index is off by far more.

import { describe, expect, test } from 'vitest'
import { floatDTypes } from '../../src/core/dtype.js'
import {
  batchNorm,
  conv1d,
  conv2d,
  DeviceLostError,
  dropout,
  elu,
  flatten,
  gelu,
  hardswish,
  type InitializeOptions,
  initializeModel,
  layerNorm,
  leakyRelu,
  linear,
  type Model,
  mish,
  OutOfMemoryError,
  propagateSignal,
  relu,
  reluSquared,
  residual,
  type SignalMoments,
  type SignalOptions,
  type SignalReport,
  selu,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
  UniformInitializer,
  WeightInitError,
} from '../../src/index.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { adapterName, requestDefaultLimitsDevice, useDevice } from '../support/gpu.js'
import { onCall, watchDevice } from '../support/track.js'

const gpu = useDevice()
const TOLERANCE = 1e-4
const spread = [{ match: /./, initializer: new UniformInitializer({ a: -0.4, b: 0.5 }) }]

async function both(
  model: Model,
  initializer: Parameters<typeof initializeModel>[1],
  options: SignalOptions = {},
  weightOptions: InitializeOptions = {},
): Promise<{ onGpu: SignalReport; onCpu: SignalReport }> {
  using onDevice = await initializeModel(
    model,
    initializer as never,
    {},
    { device: gpu.device, seed: 3, ...weightOptions },
  )
  const { segments: _, ...shared } = weightOptions
  using onHost = await initializeModel(model, initializer as never, {}, { seed: 3, ...shared, device: 'cpu' })
  const settings = { batch: 5, ...options }
  return {
    onGpu: await propagateSignal(model, onDevice, settings),
    onCpu: await propagateSignal(model, onHost, settings),
  }
}

function expectAgreement({ onGpu, onCpu }: { onGpu: SignalReport; onCpu: SignalReport }): void {
  expect([onGpu.backend, onCpu.backend]).toEqual(['webgpu', 'cpu'])
  expect(onGpu.layers.map(({ name, kind, shape }) => ({ name, kind, shape }))).toEqual(
    onCpu.layers.map(({ name, kind, shape }) => ({ name, kind, shape })),
  )
  const differences = onGpu.layers.flatMap((layer, index) => {
    const other = onCpu.layers[index]!
    const pairs: [string, SignalMoments, SignalMoments][] = [
      ['activations', layer.activations, other.activations],
      ['gradients', layer.gradients, other.gradients],
    ]
    return pairs.flatMap(([what, a, b]) => {
      const rms = Math.sqrt(b.meanSquare)
      const far =
        !(a.log10MeanSquare === b.log10MeanSquare || Math.abs(a.log10MeanSquare - b.log10MeanSquare) <= TOLERANCE) ||
        (rms > 0 && Number.isFinite(rms) && Math.abs(a.mean - b.mean) > 1e-4 * rms) ||
        a.nonFiniteCount !== b.nonFiniteCount
      return far ? [`${layer.name} (${layer.kind}) ${what}: ${JSON.stringify(a)} for ${JSON.stringify(b)}`] : []
    })
  })
  expect(differences).toEqual([])
  const dead = (report: SignalReport) => report.layers.map(({ deadUnitShare }) => deadUnitShare)
  expect(dead(onGpu)).toEqual(dead(onCpu))
  expect([onGpu.verdict, onGpu.forward.verdict, onGpu.backward.verdict]).toEqual([
    onCpu.verdict,
    onCpu.forward.verdict,
    onCpu.backward.verdict,
  ])
}

const activations = {
  relu,
  gelu,
  silu,
  mish,
  elu,
  selu,
  softplus,
  tanh,
  sigmoid,
  softmax,
  leakyRelu: () => leakyRelu(0.2),
  hardswish,
  reluSquared,
}
const deep = (depth: number, width: number, activation: () => Model): Model =>
  sequential(...Array.from({ length: depth }, () => [linear(width, width), activation()]).flat())

describe(`signal propagation on ${adapterName}`, () => {
  test.each(Object.entries(activations))('%s, widths that no vec4 divides', async (_, activation) => {
    const model = sequential(linear(13, 31), activation(), linear(31, 66), activation(), linear(66, 7), activation())
    expectAgreement(await both(model, spread))
  })

  const layers: [string, Model, SignalOptions][] = [
    [
      'convolutions: padded, strided, grouped, dilated, wrapped',
      sequential(
        conv2d(4, 6, 3, { padding: 1, groups: 2 }),
        gelu(),
        conv2d(6, 5, [3, 2], { stride: [2, 1], padding: [2, 0] }),
        leakyRelu(),
        conv2d(5, 4, 3, { padding: 2, dilation: 2, paddingMode: 'circular' }),
        batchNorm(4),
        relu(),
        conv2d(4, 8, 2, { stride: 2, padding: 1, paddingMode: 'circular', bias: false }),
        flatten(),
        layerNorm(8 * 4 * 4),
        linear(8 * 4 * 4, 10),
      ),
      { inputShape: [4, 9, 7] },
    ],
    [
      'one axis',
      sequential(conv1d(3, 8, 5, { padding: 2 }), tanh(), conv1d(8, 3, 4, { dilation: 3 })),
      { inputShape: [3, 33] },
    ],
    [
      'residual blocks on tokens, with a shortcut inside',
      sequential(
        residual(sequential(layerNorm(24), linear(24, 96), gelu(), dropout(), linear(96, 24))),
        residual(
          sequential(linear(24, 12), residual(sequential(linear(12, 12), silu()))),
          linear(24, 12, { bias: false }),
        ),
        layerNorm([7, 12]),
        softmax(),
      ),
      { inputShape: [7, 24] },
    ],
    [
      'batchNorm after everything',
      sequential(linear(20, 33), batchNorm(33), selu(), linear(33, 9), batchNorm(9)),
      { batch: 70 },
    ],
  ]
  test.each(layers)('%s', async (_, model, options) => {
    expectAgreement(await both(model, spread, options))
  })

  test.each(floatDTypes.slice(1))('%s weights, packed at odd places of one buffer', async (dtype) => {
    const model = sequential(linear(17, 33), relu(), linear(33, 21), relu(), conv1d(3, 5, 2))
    const shaped = sequential(linear(7, 7, { bias: false }), conv1d(3, 5, 2), relu(), conv1d(5, 2, 3))
    expectAgreement(
      await both(
        sequential(...model.children!.slice(0, 4).map(([, child]) => child)),
        spread,
        {},
        { dtype, buffers: 'packed' },
      ),
    )
    expectAgreement(await both(shaped, spread, { inputShape: [3, 7] }, { dtype, buffers: 'packed' }))
  })

  test('weights that lie [in, out]', async () => {
    const inOut = (inFeatures: number, outFeatures: number): Model => ({
      parameters: [{ name: 'weight', shape: [inFeatures, outFeatures], layout: 'in-out', role: 'weight' }],
      layer: { kind: 'linear', config: { inFeatures, outFeatures } },
    })
    expectAgreement(await both(sequential(inOut(10, 37), tanh(), inOut(37, 6)), spread))
  })

  test('50 layers of Kaiming and of Xavier', async () => {
    const kaiming = await both(deep(51, 64, relu), 'kaiming')
    expectAgreement(kaiming)
    const xavier = await both(deep(51, 64, relu), 'xavier')
    expectAgreement(xavier)
    expect(xavier.onGpu.verdict).toBe('vanishing')
    expect(xavier.onGpu.forward.log10Ratio).toBeLessThan(-12)
  })

  test('signals of 10^-250 and 10^200 do not end at 0 or infinity', async () => {
    for (const std of [1e-5, 1e4]) {
      for (const activation of [selu, gelu]) {
        const model = deep(32, 16, activation)
        const rules = [
          { match: { role: 'weight' as const }, initializer: 'normal', config: { std } },
          { match: /./, initializer: 'zeros' },
        ]
        const result = await both(model, rules as never)
        expectAgreement(result)
        expect(Math.abs(result.onGpu.forward.log10Ratio)).toBeGreaterThan(200)
      }
    }
  })

  test('a large bias after a tiny signal, and normalisation of both', async () => {
    const rules = [
      { match: /\.weight$/, initializer: 'normal', config: { std: 1e-9 } },
      { match: '6.bias', initializer: 'constant', config: { value: 1e6 } },
      { match: /./, initializer: 'zeros' },
    ]
    const layersOf = [...Array.from({ length: 6 }, () => linear(8, 8)), linear(8, 8), layerNorm(8), tanh()]
    expectAgreement(await both(sequential(...layersOf), rules as never))
    expectAgreement(
      await both(
        sequential(...layersOf.slice(0, 6), layerNorm(8, { affine: false }), tanh(), linear(8, 8)),
        rules as never,
      ),
    )
  })

  test('the same numbers every time on one device', async () => {
    using weights = await initializeModel(deep(6, 40, gelu), 'kaiming', {}, { device: gpu.device, seed: 1 })
    const first = await propagateSignal(deep(6, 40, gelu), weights)
    expect(await propagateSignal(deep(6, 40, gelu), weights)).toEqual(first)
    expect(await propagateSignal(deep(6, 40, gelu), weights, { seed: 1 })).not.toEqual(first)
  })
})

describe(`limits and faults on ${adapterName}`, () => {
  test('weights in windows, segments and pieces: a device of which bindings hold 64 kB', async () => {
    const device = await requestDefaultLimitsDevice()
    const limits = { maxStorageBufferBindingSize: 65536, maxBufferSize: 200_000 }
    const { limits: own } = device
    Object.defineProperty(device, 'limits', {
      value: new Proxy(own, { get: (_, key) => limits[key as keyof typeof limits] ?? Reflect.get(own, key) }),
    })
    try {
      // 370 x 301 float32 are 445 kB: three segments of four windows each, seven pieces.
      const model = sequential(linear(301, 370), relu(), linear(370, 301))
      for (const [dtype, segmentCount] of [
        ['float32', 3],
        ['float16', 2],
        ['float8_e5m2', 1],
      ] as const) {
        using onDevice = await initializeModel(model, 'kaiming', {}, { device, seed: 3, segments: true, dtype })
        expect(onDevice.get('0.weight').segments.length).toBe(segmentCount)
        using onHost = await initializeModel(model, 'kaiming', {}, { device: 'cpu', seed: 3, dtype })
        expectAgreement({
          onGpu: await propagateSignal(model, onDevice, { batch: 5 }),
          onCpu: await propagateSignal(model, onHost, { batch: 5 }),
        })
        const submits = watchDevice(device)
        const error = await propagateSignal(model, onDevice, { batch: 64 }).catch((e: unknown) => e)
        expect(error).toMatchObject({
          code: 'LIMIT_EXCEEDED',
          message: expect.stringMatching(
            /layer "0" \(linear\) makes 94720 bytes for a batch of 64.*holds 65536.*at most 44/,
          ),
        })
        expect([submits.submits, submits.labelled]).toEqual([0, 0])
      }
      const wide = conv2d(64, 64, 3)
      using weights = await initializeModel(wide, 'kaiming', {}, { device, seed: 3 })
      await expect(propagateSignal(wide, weights, { inputShape: [64, 3, 3], batch: 1 })).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        message: expect.stringMatching(/\[64,64,3,3\].*147456 bytes.*65536.*'cpu'/),
      })
    } finally {
      device.destroy()
    }
  })

  test('frees everything, names every object, and keeps few tensors', async () => {
    const device = await requestNodeDevice()
    const model = deep(40, 64, relu)
    try {
      using weights = await initializeModel(model, 'kaiming', {}, { device, seed: 1 })
      const watch = watchDevice(device)
      await propagateSignal(model, weights, { batch: 64 })
      expect(watch.unlabelled).toEqual([])
      expect([watch.live.size, watch.liveBytes]).toEqual([0, 0])
      // The inputs of 40 activations are kept for the way back, 16 kB each, and a few more.
      expect(watch.peakBytes).toBeLessThan(55 * 64 * 64 * 4)
    } finally {
      device.destroy()
    }
  })

  test('an abort on the way stops it, with nothing left', async () => {
    const device = await requestNodeDevice()
    try {
      using weights = await initializeModel(deep(20, 32, relu), 'kaiming', {}, { device, seed: 1 })
      const watch = watchDevice(device)
      const abort = new AbortController()
      onCall(device.queue, 'submit', 30, () => abort.abort())
      await expect(propagateSignal(deep(20, 32, relu), weights, { signal: abort.signal })).rejects.toThrow(/abort/i)
      expect(watch.submits).toBeLessThan(35)
      expect(watch.live.size).toBe(0)
    } finally {
      device.destroy()
    }
  })

  test('a lost device is a DeviceLostError, and so is one that was lost before', async () => {
    const device = await requestNodeDevice()
    const weights = await initializeModel(deep(20, 32, relu), 'kaiming', {}, { device, seed: 1 })
    const watch = watchDevice(device)
    onCall(device.queue, 'submit', 20, () => device.destroy())
    await expect(propagateSignal(deep(20, 32, relu), weights)).rejects.toBeInstanceOf(DeviceLostError)
    expect(watch.live.size).toBe(0)
    await expect(propagateSignal(deep(20, 32, relu), weights)).rejects.toBeInstanceOf(DeviceLostError)
  })

  test('memory that the device refuses is an OutOfMemoryError with the remedy, and what was made is freed', async () => {
    const device = await requestNodeDevice()
    try {
      using weights = await initializeModel(deep(9, 32, relu), 'kaiming', {}, { device, seed: 1 })
      const watch = watchDevice(device)
      const { popErrorScope, pushErrorScope } = device
      // The device's answer to the tenth request for memory.
      let requests = 0
      const filters: GPUErrorFilter[] = []
      device.pushErrorScope = (filter) => {
        filters.push(filter)
        return pushErrorScope.call(device, filter)
      }
      device.popErrorScope = async () => {
        const real = popErrorScope.call(device)
        if (filters.pop() === 'out-of-memory' && ++requests === 10) {
          await real
          return { message: 'none left' } as GPUError
        }
        return real
      }
      const error = await propagateSignal(deep(9, 32, relu), weights).catch((e: unknown) => e)
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error).toBeInstanceOf(WeightInitError)
      expect((error as Error).message).toMatch(/bytes.*none left/)
      expect(watch.live.size).toBe(0)
    } finally {
      device.destroy()
    }
  })
})
