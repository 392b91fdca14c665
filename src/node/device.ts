import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'

export interface NodeDeviceOptions {
  /** The backend that Dawn should use ('vulkan', 'metal', 'd3d12', ...). Default: Dawn chooses. */
  readonly backend?: string
  /** A part of the adapter's name, to choose between several adapters. */
  readonly adapter?: string
  readonly powerPreference?: 'low-power' | 'high-performance'
  /** Additional features to request, such as 'timestamp-query'. */
  readonly requiredFeatures?: readonly GPUFeatureName[]
}

/** Dawn's instances. They are stored here because Node crashes when an instance is garbage-collected before its device. */
const instances = new Map<string, GPU>()

/**
 * Requests a WebGPU device in Node, from Dawn (npm package `webgpu`, an optional peer dependency). The device has the
 * adapter's limits for buffers and bindings, and the feature 'subgroups' if the adapter is a CPU. The call also defines the
 * WebGPU constants (GPUBufferUsage, GPUMapMode, ...) if Node does not have them.
 *
 * @throws WeightInitError `NO_ADAPTER` if the package, an adapter or a feature is missing; the message says what to install
 * @example
 * const device = await requestNodeDevice()
 * const weights = await initializeModel(linear(784, 256), 'kaiming', {}, { device, seed: 42 })
 */
export async function requestNodeDevice(options: NodeDeviceOptions = {}): Promise<GPUDevice> {
  refuseUnknownKeys(options, ['backend', 'adapter', 'powerPreference', 'requiredFeatures'], 'requestNodeDevice option')
  const { backend, adapter: adapterName, powerPreference = 'high-performance', requiredFeatures = [] } = options
  const gpu = await dawn([
    ...(backend === undefined ? [] : [`backend=${backend}`]),
    ...(adapterName === undefined ? [] : [`adapter=${adapterName}`]),
  ])
  let adapter: GPUAdapter | null
  try {
    adapter = await gpu.requestAdapter({ powerPreference })
  } catch (cause) {
    throw new WeightInitError('NO_ADAPTER', `Dawn refused the request for an adapter: ${(cause as Error).message}`, {
      cause,
    })
  }
  if (adapter === null) {
    throw new WeightInitError(
      'NO_ADAPTER',
      'No WebGPU adapter was found. Install a Vulkan driver (on a machine without a GPU: mesa-vulkan-drivers, which has ' +
        "lavapipe), set VK_DRIVER_FILES to one, or initialise on the CPU with device: 'cpu'.",
    )
  }
  for (const feature of requiredFeatures) {
    if (!adapter.features.has(feature)) {
      throw new WeightInitError(
        'NO_ADAPTER',
        `The adapter ${show(adapter.info.description)} lacks the feature ${show(feature)}.`,
      )
    }
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  // On a CPU, subgroups make the factorisation of matrices faster.
  const useful = adapter.info.isFallbackAdapter && adapter.features.has('subgroups') ? ['subgroups' as const] : []
  return adapter.requestDevice({
    label: 'webgpu-init',
    requiredFeatures: [...new Set([...requiredFeatures, ...useful])],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  })
}

async function dawn(settings: string[]): Promise<GPU> {
  const key = settings.join(' ')
  const known = instances.get(key)
  if (known !== undefined) return known
  let module: typeof import('webgpu')
  try {
    module = await import('webgpu')
  } catch (cause) {
    throw new WeightInitError(
      'NO_ADAPTER',
      `The package "webgpu" (Dawn for Node) could not be loaded: ${(cause as Error).message}. Install it with: npm install webgpu`,
      { cause },
    )
  }
  for (const [name, value] of Object.entries(module.globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  const gpu = module.create(settings)
  instances.set(key, gpu)
  return gpu
}
