// Weights as inputs of an ONNX graph: the default build of ONNX Runtime Web on its own device, its /webgpu build on ours.
import type * as Ort from 'onnxruntime-web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { create, globals } from 'webgpu'
import { type InitializedModel, initializeModel, type ParameterSpec, WeightInitError } from '../../src/index.js'
import * as interop from '../../src/interop/onnxruntime.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { adapterName } from '../support/gpu.js'
import { onnxModel } from '../support/onnx-graph.js'

const inPage = typeof document !== 'undefined'

/** y = relu(x w + b) u: shapes whose bytes are no multiples of 16. */
const parameters = [
  { name: 'w', shape: [3, 5], layout: 'in-out' },
  { name: 'b', shape: [5] },
  { name: 'u', shape: [5, 1], layout: 'in-out', role: 'weight' },
] as const satisfies readonly ParameterSpec[]
const graph = onnxModel(
  [{ name: 'x', shape: [2, 3] }, ...parameters],
  [{ name: 'y', shape: [2, 1] }],
  [
    { operator: 'MatMul', inputs: ['x', 'w'], output: 'xw' },
    { operator: 'Add', inputs: ['xw', 'b'], output: 'sum' },
    { operator: 'Relu', inputs: ['sum'], output: 'hidden' },
    { operator: 'MatMul', inputs: ['hidden', 'u'], output: 'y' },
  ],
)
const x = Float32Array.of(0.5, -1, 2, 1.5, 0.25, -0.75)
const rules = [
  { match: 'weight', initializer: 'xavier_normal' },
  { match: 'b', initializer: 'constant', config: { value: 0.125 } },
]

/** The same graph in float64, over the weights as read. */
async function expectedOutput(weights: InitializedModel): Promise<number[]> {
  const [w, b, u] = [await weights.read('w'), await weights.read('b'), await weights.read('u')]
  return [0, 1].map((row) => {
    let y = 0
    for (let j = 0; j < 5; j++) {
      let sum = b[j]!
      for (let i = 0; i < 3; i++) sum += x[3 * row + i]! * w[5 * i + j]!
      y += Math.max(0, sum) * u[j]!
    }
    return y
  })
}

const sessions: Ort.InferenceSession[] = []
async function createSession(
  ort: typeof Ort,
  options: Ort.InferenceSession.SessionOptions,
): Promise<Ort.InferenceSession> {
  const session = await ort.InferenceSession.create(graph, options)
  sessions.push(session)
  return session
}
afterAll(async () => {
  for (const session of sessions) await session.release()
})

async function expectRun(
  ort: typeof Ort,
  session: Ort.InferenceSession,
  options: { readonly device?: GPUDevice | 'cpu' },
): Promise<InitializedModel> {
  const { weights, feeds } = await interop.initializeInputs(ort, session, { parameters }, rules as never, {
    ...options,
    seed: 5,
  })
  expect(Object.keys(feeds)).toEqual(['w', 'b', 'u'])
  const { y } = await session.run({ ...feeds, x: new ort.Tensor('float32', x, [2, 3]) })
  const values = (await y!.getData()) as Float32Array
  const expected = await expectedOutput(weights)
  for (let row = 0; row < 2; row++) expect(Math.abs(values[row]! - expected[row]!)).toBeLessThan(1e-5)
  expect(values.some((value) => value !== 0)).toBe(true)
  // The graph left them as they were, and they are the CPU's.
  expect(await weights.verify()).toMatchObject({ ok: true, complete: true })
  return weights
}

describe(`ONNX Runtime Web, the default build on its own device, ${adapterName}`, () => {
  let ort: typeof Ort
  let session: Ort.InferenceSession

  beforeAll(async () => {
    if (!inPage) {
      Object.assign(globalThis, globals)
      Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true })
    }
    // In Node the package's own entry has no WebGPU.
    ort = await (inPage ? import('onnxruntime-web') : import('onnxruntime-web/all'))
    ort.env.wasm.numThreads = 1
    expect(await interop.sessionDevice(ort).catch((e) => e)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Create a session'),
    })
    session = await createSession(ort, { executionProviders: ['webgpu'] })
  })

  test('a graph whose inputs we initialise on the device that the session made', async () => {
    const weights = await expectRun(ort, session, {})
    expect(weights.device).toBe(await interop.sessionDevice(ort))
    for (const { buffer, byteLength } of weights.parameters.values()) {
      expect((buffer as GPUBuffer).size).toBe(Math.ceil(byteLength / 16) * 16)
    }
    const feeds = interop.toFeeds(ort, weights)
    expect(feeds.w).toMatchObject({ location: 'gpu-buffer', dims: [3, 5], type: 'float32' })
    expect(feeds.w!.gpuBuffer).toBe(weights.get('w').buffer)
    expect([...((await feeds.w!.getData()) as Float32Array)]).toEqual([...(await weights.read('w'))])
    weights.destroy()
  })

  test('the same from the CPU', async () => {
    const weights = await expectRun(ort, session, { device: 'cpu' })
    expect(interop.toTensor(ort, weights, 'b')).toMatchObject({ location: 'cpu', dims: [5] })
  })

  test('rules are checked, each with the remedy', async () => {
    const device = await interop.sessionDevice(ort)
    const refuse = async (run: () => unknown): Promise<WeightInitError> => {
      const error = await (async () => run())().then(
        () => new Error('accepted'),
        (e: unknown) => e,
      )
      expect(error).toBeInstanceOf(WeightInitError)
      return error as WeightInitError
    }
    const inputs = (list: readonly ParameterSpec[], options: object = {}): Promise<unknown> =>
      interop.initializeInputs(ort, session, { parameters: list }, 'normal', {}, { seed: 1, ...options })
    const cases: [() => unknown, string, RegExp][] = [
      [
        () => inputs([{ name: 'v', shape: [3], role: 'bias' }]),
        'INVALID_MODEL',
        /"v" is not an input .*"x", "w", "b", "u".*graph inputs/,
      ],
      [() => inputs([{ name: 'w', shape: [5, 3] }]), 'INVALID_MODEL', /"w" has shape \[5,3\], .* \[3,5\]/],
      [() => inputs([parameters[0]!], { dtype: 'float16' }), 'INVALID_MODEL', /"w" is float16, .* float32/],
      [() => inputs([parameters[0]!], { dtype: 'bfloat16' }), 'UNSUPPORTED_DTYPE', /"w" is bfloat16; .*'float16'/],
      [() => inputs([parameters[0]!], { buffers: 'packed' }), 'INVALID_ARGUMENT', /buffers can only be "separate"/],
      [() => inputs([parameters[0]!], { bufferAlignment: 4 }), 'INVALID_ARGUMENT', /bufferAlignment can only be 16/],
      [() => interop.sessionDevice({} as never), 'INVALID_ARGUMENT', /ONNX Runtime Web module/],
    ]
    for (const [run, code, message] of cases) {
      const error = await refuse(run)
      expect(error.message).toMatch(message)
      expect(error.code).toBe(code)
    }
    using unpadded = await initializeModel({ parameters }, rules as never, { device, seed: 1 })
    expect((await refuse(() => interop.toTensor(ort, unpadded, 'w'))).message).toMatch(
      /"w": its buffer has 60 bytes; .* here 64\. .*bufferAlignment: 16/,
    )
    using packed = await initializeModel({ parameters }, rules as never, { device, seed: 1, buffers: 'packed' })
    expect((await refuse(() => interop.toTensor(ort, packed, 'b'))).message).toContain("buffers: 'separate'")
    const proxied = { ...ort, env: { ...ort.env, wasm: { proxy: true } } }
    using padded = await initializeModel({ parameters }, rules as never, { device, seed: 1, bufferAlignment: 16 })
    expect((await refuse(() => interop.toFeeds(proxied, padded))).message).toContain('env.wasm.proxy = false')
    padded.destroy()
    expect((await refuse(() => interop.toFeeds(ort, padded))).code).toBe('DESTROYED')
  })
})

// In Node its WebAssembly finds no WebGPU (docs/interop.md): this build is for pages.
describe.runIf(inPage)(`ONNX Runtime Web, the /webgpu build on our device, ${adapterName}`, () => {
  test('a graph whose inputs we initialise on a device that we made', async () => {
    const ort = (await import('onnxruntime-web/webgpu')) as typeof Ort
    ort.env.wasm.numThreads = 1
    const device = await requestNodeDevice()
    const session = await createSession(ort, { executionProviders: [{ name: 'webgpu', device } as never] })
    const weights = await expectRun(ort, session, { device })
    expect(weights.device).toBe(device)
    weights.destroy()
  })
})
