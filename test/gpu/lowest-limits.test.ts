// Guards that everything works on a device with the lowest limits there are, those of WebGPU's compatibility mode, with the same
// bits: uniform bindings of 16 KiB, four storage buffers to a stage, 128 invocations to a workgroup.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initializeModel, linear, propagateSignal, relu, sequential } from '../../src/index.js'
import { adapterName, requestCompatibilityDevice } from '../support/gpu.js'

let device: GPUDevice
beforeAll(async () => {
  device = await requestCompatibilityDevice()
})
afterAll(() => device.destroy())

const cases: readonly (readonly [
  what: string,
  shape: readonly number[],
  initializer: string,
  config: object,
  options?: object,
])[] = [
  ['uniform', [333, 77], 'uniform', {}],
  ['normal in bfloat16', [333, 77], 'normal', { std: 0.02 }, { dtype: 'bfloat16' }],
  ['truncated normal in float16', [100, 31], 'trunc_normal', {}, { dtype: 'float16' }],
  ['sparse', [64, 40], 'sparse', { sparsity: 0.3 }],
  ['a part', [64, 64], 'normal', {}, { slice: { w: { start: [3, 5], end: [60, 61] } } }],
  ['identity', [40, 50], 'eye', {}],
  ['orthogonal', [4, 4], 'orthogonal', {}],
  ['orthogonal, several panels', [300, 200], 'orthogonal', { gain: 2 }],
  ['delta-orthogonal', [16, 8, 3, 3], 'delta_orthogonal', {}],
  ['PyTorch normals', [64, 40], 'normal', {}, { generator: 'torch-cpu' }],
  ['JAX normals', [64, 40], 'normal', {}, { generator: 'jax' }],
]

describe(`the lowest limits on ${adapterName}`, () => {
  test('are those of the compatibility mode', () => {
    expect(device.limits.maxUniformBufferBindingSize).toBe(16384)
  })

  test.each(cases.map(([what, ...rest]) => [what, rest] as const))('%s', async (_, given) => {
    const [shape, initializer, config, options = {}] = given
    const model = { parameters: [{ name: 'w', shape }] }
    const weights = await initializeModel(model, initializer as never, config as never, { device, seed: 1, ...options })
    expect(await weights.verify()).toMatchObject({ ok: true, complete: true })
    expect((await weights.statistics()).get('w')?.nonFiniteCount).toBe(0)
    expect((await weights.check()).failures).toEqual([])
    weights.destroy()
  })

  test('many parameters in one buffer', async () => {
    const parameters = Array.from({ length: 300 }, (_, i) => ({ name: `p${i}`, shape: [8, 9] }))
    const weights = await initializeModel({ parameters }, 'kaiming', {}, { device, seed: 1, buffers: 'packed' })
    expect((await weights.verify()).mismatchCount).toBe(0)
    weights.destroy()
  })

  test('a signal through layers', async () => {
    const model = sequential(linear(32, 64), relu(), linear(64, 8))
    const weights = await initializeModel(model, 'kaiming', {}, { device, seed: 1 })
    expect((await propagateSignal(model, weights)).verdict).toBe('healthy')
    weights.destroy()
  })
})
