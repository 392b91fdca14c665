import { afterAll, beforeAll } from 'vitest'
import { type DeviceState, deviceState } from '../../src/gpu/device/device-state.js'
import { releaseScratch } from '../../src/gpu/device/scratch.js'
import { linkShader } from '../../src/gpu/shaders/link.js'
import { shaderModules } from '../../src/gpu/shaders/shader-modules.js'
import { requestNodeDevice } from '../../src/node/device.js'

/** The adapter that scripts/test.mjs chose, for names of tests. */
export const adapterName: string = process.env.WEBGPU_INIT_ADAPTER ?? 'system'

/** One device per test file, destroyed at its end. An uncaptured error fails the file. */
export function useDevice(): {
  readonly device: GPUDevice
  readonly state: DeviceState
  /** Buffers that are not destroyed; memory kept for a next call is released first. */
  readonly liveBuffers: () => number
  /** All that are not destroyed. */
  readonly heldBuffers: () => number
} {
  let device: GPUDevice
  const live = new Set<GPUBuffer>()
  const uncaptured: string[] = []
  beforeAll(async () => {
    device = await requestNodeDevice()
    device.addEventListener('uncapturederror', (event) => uncaptured.push(event.error.message))
    const { createBuffer } = device
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(device, descriptor)
      live.add(buffer)
      const { destroy } = buffer
      buffer.destroy = () => {
        live.delete(buffer)
        return destroy.call(buffer)
      }
      return buffer
    }
  })
  afterAll(() => {
    device.destroy()
    if (uncaptured.length > 0) throw new Error(`uncaptured device errors: ${uncaptured.join('\n')}`)
  })
  return {
    get device() {
      return device
    },
    get state() {
      return deviceState(device)
    },
    liveBuffers: () => {
      releaseScratch(deviceState(device))
      return live.size
    },
    heldBuffers: () => live.size,
  }
}

let instance: GPU | undefined

/** A device with WebGPU's default limits, whatever the adapter could do. */
export const requestDefaultLimitsDevice = (): Promise<GPUDevice> => plainDevice()

/** A device with the limits of WebGPU's compatibility mode, the lowest of all. */
export const requestCompatibilityDevice = (): Promise<GPUDevice> => plainDevice({ featureLevel: 'compatibility' })

async function plainDevice(options: GPURequestAdapterOptions = {}): Promise<GPUDevice> {
  const { create } = await import('webgpu')
  instance ??= create([])
  const adapter = await instance.requestAdapter(options)
  if (adapter === null) throw new Error('no adapter')
  return adapter.requestDevice()
}

/** Reads a whole buffer (COPY_SRC) back. */
export async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<Uint8Array> {
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(GPUMapMode.READ)
  const bytes = new Uint8Array(staging.getMappedRange()).slice()
  staging.destroy()
  return bytes
}

/**
 * Runs one WGSL expression per input word group: a unit test of a shader function. `body` sees `x: vec4<u32>` and
 * `zero: u32` (0 at run time) and returns vec4<u32>.
 */
export async function mapOnGpu(
  device: GPUDevice,
  imports: readonly string[],
  body: string,
  input: Uint32Array,
  slots: Readonly<Record<string, string>> = {},
): Promise<Uint32Array> {
  const entry = [
    ...imports.map((path) => `//#import "${path}"`),
    '@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;',
    '@group(0) @binding(1) var<storage, read_write> result: array<vec4<u32>>;',
    '@group(0) @binding(2) var<uniform> zeroes: vec4<u32>;',
    `fn probe(x: vec4<u32>, zero: u32) -> vec4<u32> { ${body} }`,
    '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {',
    '  if (id.x < arrayLength(&source)) { result[id.x] = probe(source[id.x], zeroes.x); }',
    '}',
  ].join('\n')
  const { code } = linkShader('probe/probe', { ...shaderModules, 'probe/probe': entry }, slots)
  const module = device.createShaderModule({ code })
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } })
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const source = device.createBuffer({ size: input.byteLength, usage })
  const result = device.createBuffer({ size: input.byteLength, usage })
  const zeroes = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM })
  device.queue.writeBuffer(source, 0, input as Uint32Array<ArrayBuffer>)
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [source, result, zeroes].map((buffer, binding) => ({ binding, resource: { buffer } })),
  })
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(Math.ceil(input.length / 4 / 64))
  pass.end()
  device.queue.submit([encoder.finish()])
  const bytes = await readBuffer(device, result)
  for (const buffer of [source, result, zeroes]) buffer.destroy()
  return new Uint32Array(bytes.buffer)
}

/** Seeded words for tests: the project's own generator would test itself with itself. */
export function testWords(count: number, seed = 1): Uint32Array {
  const words = new Uint32Array(count)
  let state = seed >>> 0 || 1
  for (let i = 0; i < count; i++) {
    // xorshift32 with a multiplicative finish (Marsaglia 2003).
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = Math.imul(state, 0x9e3779b1)
  }
  return words
}
