import { show, WeightInitError } from '../../core/errors.js'
import type { TfjsBackends, TfjsModule, WebGPUBackendClass } from './types.js'

/** The device of TensorFlow.js's current backend, or undefined if that backend is not WebGPU. */
export function backendDevice(tf: TfjsModule): GPUDevice | undefined {
  return (tf.backend() as { device?: GPUDevice }).device
}

/** @throws WeightInitError `INVALID_ARGUMENT` if this is not the module */
export function checkModule(tf: TfjsModule): void {
  if (typeof tf?.tensor === 'function' && typeof tf.backend === 'function' && typeof tf.ready === 'function') return
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `tf must be the TensorFlow.js module (import * as tf from '@tensorflow/tfjs'), but found ${show(tf)}.`,
  )
}

/**
 * Makes TensorFlow.js compute on a device of yours. It registers a WebGPU backend for the device under the name 'webgpu',
 * which replaces the backend that would request a device of its own, and selects it. Call it before you make any tensor,
 * because the tensors of the replaced backend are lost. TensorFlow.js never destroys the device.
 *
 * @param tf the module, as `import * as tf from '@tensorflow/tfjs'`
 * @param WebGPUBackend the class, from '@tensorflow/tfjs-backend-webgpu'
 * @throws WeightInitError `INVALID_ARGUMENT`, `NO_ADAPTER` if TensorFlow.js finds no WebGPU, `DEVICE_ERROR`
 * @example
 * import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
 * await useDevice(tf, WebGPUBackend, device)
 */
export async function useDevice(
  tf: TfjsModule & TfjsBackends,
  WebGPUBackend: WebGPUBackendClass,
  device: GPUDevice,
): Promise<void> {
  checkModule(tf)
  if (typeof device?.createComputePipelineAsync !== 'function') {
    throw new WeightInitError('INVALID_ARGUMENT', `device must be a GPUDevice, but found ${show(device)}.`)
  }
  if (typeof WebGPUBackend !== 'function') {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `WebGPUBackend must be that class of '@tensorflow/tfjs-backend-webgpu', but found ${show(WebGPUBackend)}.`,
    )
  }
  requireWebGpuGlobals()
  const backend = new WebGPUBackend(device, device.adapterInfo)
  if (tf.findBackendFactory('webgpu') !== undefined) tf.removeBackend('webgpu')
  tf.registerBackend('webgpu', () => backend as never, 3)
  if (!(await tf.setBackend('webgpu'))) {
    throw new WeightInitError('DEVICE_ERROR', 'TensorFlow.js refused the WebGPU backend for this device.')
  }
}

/**
 * Checks that the globals exist in which TensorFlow.js looks for WebGPU. Node does not have them.
 * @throws WeightInitError `NO_ADAPTER`; the message says what to define
 */
export function requireWebGpuGlobals(): void {
  const scope = globalThis as { navigator?: { gpu?: unknown }; GPUBuffer?: unknown }
  if (scope.navigator?.gpu && scope.GPUBuffer) return
  throw new WeightInitError(
    'NO_ADAPTER',
    `TensorFlow.js finds WebGPU through ${scope.GPUBuffer ? 'navigator.gpu' : 'the globals GPUBuffer and navigator.gpu'}, which ` +
      'this runtime lacks. In Node, before importing it: Object.assign(globalThis, globals) and ' +
      "Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true }), both from 'webgpu'.",
  )
}
