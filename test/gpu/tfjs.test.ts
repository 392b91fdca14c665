// Weights as TensorFlow.js tensors, on its own device and on ours; a model that we initialise and TensorFlow.js trains.
import type * as Tfjs from '@tensorflow/tfjs-core'
import type * as TfjsLayers from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { create, globals } from 'webgpu'
import { type InitializedModel, initializeModel, linear, sequential, WeightInitError } from '../../src/index.js'
import * as interop from '../../src/interop/tfjs.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { adapterName } from '../support/gpu.js'
import { trainDense } from '../support/tfjs.js'

let tf: typeof Tfjs
let tfl: typeof TfjsLayers
let webgpu: { WebGPUBackend: interop.WebGPUBackendClass }
const ownDevice = (): GPUDevice => (tf.backend() as unknown as { device: GPUDevice }).device
const uncaptured: string[] = []
const watch = (device: GPUDevice): void =>
  device.addEventListener('uncapturederror', (event) => uncaptured.push(event.error.message))

beforeAll(async () => {
  // TensorFlow.js looks for WebGPU when it is loaded; Node has none of its own.
  Object.assign(globalThis, globals)
  if (!('gpu' in (globalThis.navigator ?? {}))) {
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true })
  }
  tf = await import('@tensorflow/tfjs-core')
  tfl = await import('@tensorflow/tfjs-layers')
  await import('@tensorflow/tfjs-backend-cpu')
  webgpu = await import('@tensorflow/tfjs-backend-webgpu')
  await tf.setBackend('webgpu')
  watch(ownDevice())
})
afterAll(() => {
  if (uncaptured.length > 0) throw new Error(`uncaptured device errors: ${uncaptured.join('\n')}`)
})

async function expectTraining(): Promise<void> {
  const training = await trainDense({ tf, tfl, interop }, 42)
  expect(training).toMatchObject({ device: true, tensorsLeft: 0, okAfterTraining: true, kernelMoved: true })
  expect(training.weights.map(({ name, shape }) => [name, shape])).toEqual([
    ['dense/kernel', [2, 16]],
    ['dense/bias', [16]],
    ['dense_1/kernel', [16, 1]],
    ['dense_1/bias', [1]],
  ])
  const spec = { parameters: training.weights.map(({ name, shape }) => ({ name, shape, layout: 'in-out' as const })) }
  const reference = await initializeModel(spec, 'kaiming', { nonlinearity: 'relu' }, { device: 'cpu', seed: 42 })
  for (const { name, ours, theirs } of training.weights) {
    expect(ours).toEqual([...(await reference.read(name))])
    expect(theirs).toEqual(ours)
  }
  for (const [i, loss] of training.losses.entries()) if (i > 0) expect(loss).toBeLessThan(training.losses[i - 1]!)
  expect(training.losses.at(-1)! / training.losses[0]!).toBeLessThan(0.7)
}

const refusal = (run: () => unknown): WeightInitError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(WeightInitError)
    return error as WeightInitError
  }
  throw new Error('accepted')
}

describe(`TensorFlow.js on its own device, ${adapterName}`, () => {
  test('a dense network that we initialise and it trains: the weights are ours, the loss falls', expectTraining)

  test('tensors over the same memory: values, a product, tf.variable; nothing is copied', async () => {
    const device = ownDevice()
    using weights = await initializeModel(sequential(linear(5, 3)), 'normal', {}, { device, seed: 1 })
    const before = tf.memory().numTensors
    const tensors = interop.toTensors<Tfjs.Tensor>(tf, weights)
    const values = await weights.read('0.weight')
    const weight = tensors.get('0.weight') as Tfjs.Tensor2D
    expect(weight.shape).toEqual([3, 5])
    expect([...(await weight.data())]).toEqual([...values])
    const product = tf.tidy(() => tf.matMul(weight, tf.ones([5, 1])))
    const sums = await product.data()
    for (let row = 0; row < 3; row++) {
      expect(sums[row]).toBeCloseTo(
        values.subarray(5 * row, 5 * row + 5).reduce((a, b) => a + b),
        5,
      )
    }
    // A write of ours is seen: it is the same buffer.
    device.queue.writeBuffer(weights.get('0.bias').buffer, 0, new Float32Array([1, 2, 3]))
    const variable = tf.variable(tensors.get('0.bias')!)
    expect([...(await variable.data())]).toEqual([1, 2, 3])
    tf.dispose([variable, product, ...tensors.values()])
    expect(tf.memory().numTensors).toBe(before)
    expect((await weights.verify()).mismatchCount).toBe(3)
  })

  test('its rules are checked, each with the remedy, before it sees a buffer', async () => {
    const device = ownDevice()
    const before = tf.memory().numTensors
    const make = async (options: object): Promise<InitializedModel> =>
      initializeModel(sequential(linear(5, 3)), 'normal', {}, { device, seed: 1, ...options })
    const into = (size: number, usage: number): object => ({
      into: { '0.bias': { buffer: device.createBuffer({ size, usage }) } },
    })
    const [storage, copyOut, copyIn] = [GPUBufferUsage.STORAGE, GPUBufferUsage.COPY_SRC, GPUBufferUsage.COPY_DST]
    const other = await requestNodeDevice()
    const cases: [object, string, RegExp][] = [
      [
        { buffers: 'packed' },
        'INVALID_BUFFER',
        /"0.weight": its buffer has 268 bytes and the tensor 60; .* buffers: 'separate'/,
      ],
      [into(16, storage | copyOut | copyIn), 'INVALID_BUFFER', /"0.bias": its buffer has 16 bytes and the tensor 12/],
      [into(12, storage | copyOut), 'INVALID_BUFFER', /lacks COPY_DST; .* needs STORAGE \| COPY_SRC \| COPY_DST/],
      [{ dtype: 'float16' }, 'UNSUPPORTED_DTYPE', /"0.weight" is float16; .* float32 and int32 only/],
      [{ device: other }, 'INVALID_ARGUMENT', /different GPUDevices.*tf.backend\(\).device.*useDevice/],
    ]
    for (const [options, code, message] of cases) {
      using weights = await make(options)
      const error = refusal(() => interop.toTensors(tf, weights))
      expect(error.code).toBe(code)
      expect(error.message).toMatch(message)
    }
    using packed = await make({ buffers: 'packed' })
    const offset = refusal(() => interop.toTensor(tf, packed, '0.bias'))
    expect(offset).toMatchObject({ code: 'INVALID_BUFFER', message: expect.stringContaining('starts at byte 256') })
    const weights = await make({})
    await tf.setBackend('cpu')
    expect(refusal(() => interop.toTensors(tf, weights)).message).toMatch(/"cpu" backend.*tf.setBackend\('webgpu'\)/)
    await tf.setBackend('webgpu')
    weights.destroy()
    expect(refusal(() => interop.toTensors(tf, weights)).code).toBe('DESTROYED')
    expect(tf.memory().numTensors).toBe(before)
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [2] })] })
    const error = await interop
      .initializeLayersModel(tf, model, 'normal', {}, { device: other })
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('useDevice') })
    model.dispose()
    other.destroy()
  })
})

describe(`TensorFlow.js on our device, ${adapterName}`, () => {
  let device: GPUDevice
  beforeAll(async () => {
    device = await requestNodeDevice()
    watch(device)
    await interop.useDevice(tf, webgpu.WebGPUBackend, device)
  })

  test('computes there, with what we made there', async () => {
    expect(ownDevice()).toBe(device)
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [2], useBias: false })] })
    using weights = await interop.initializeLayersModel(tf, model, 'xavier', {}, { device, seed: 3 })
    expect(weights.device).toBe(device)
    const kernel = await weights.read('dense/kernel')
    expect([...(await model.getWeights()[0]!.data())]).toEqual([...kernel])
    const output = tf.tidy(() => model.predict(tf.tensor2d([[2, -3]])) as Tfjs.Tensor)
    const values = await output.data()
    for (let unit = 0; unit < 3; unit++) {
      expect(values[unit]).toBeCloseTo(2 * kernel[unit]! - 3 * kernel[3 + unit]!, 5)
    }
    output.dispose()
    model.dispose()
  })

  test('useDevice refuses what is no device, no class, no module', async () => {
    const code = (promise: Promise<void>): Promise<string> =>
      promise.then(
        () => 'accepted',
        (e) => e.code,
      )
    expect(await code(interop.useDevice(tf, webgpu.WebGPUBackend, {} as never))).toBe('INVALID_ARGUMENT')
    expect(await code(interop.useDevice(tf, undefined as never, device))).toBe('INVALID_ARGUMENT')
    expect(await code(interop.useDevice({} as never, webgpu.WebGPUBackend, device))).toBe('INVALID_ARGUMENT')
    expect(ownDevice()).toBe(device)
  })
})
