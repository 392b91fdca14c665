import { show, WeightInitError } from '../../core/errors.js'
import type { OrtModule } from './types.js'

/**
 * Returns the GPUDevice of ONNX Runtime Web's default build, which creates it with its first WebGPU session. A session can
 * only use buffers of this device.
 *
 * The builds '/webgpu' and '/jspi' compute on the device in the options of their session,
 * `executionProviders: [{ name: 'webgpu', device }]`. This function cannot find that device; pass it on yourself.
 *
 * @throws WeightInitError `INVALID_ARGUMENT` before the first WebGPU session, and if ONNX Runtime Web reports no device
 * @example
 * const session = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'] })
 * const device = await sessionDevice(ort)
 */
export async function sessionDevice(ort: OrtModule): Promise<GPUDevice> {
  checkModule(ort)
  const { webgpu } = ort.env
  // Reading the property before a session exists would create a device that no session uses.
  const device: unknown = webgpu !== undefined && 'device' in webgpu ? await webgpu.device : undefined
  if (typeof (device as GPUDevice | undefined)?.createComputePipelineAsync === 'function') return device as GPUDevice
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `ort.env.webgpu.device is ${show(device)}. Create a session with executionProviders: ['webgpu'] first; with the /webgpu and ` +
      "/jspi builds, pass the device of the session's options: { device }.",
  )
}

/** @throws WeightInitError `INVALID_ARGUMENT` if this is not the module */
export function checkModule(ort: OrtModule): void {
  if (typeof ort?.Tensor?.fromGpuBuffer !== 'function' || typeof ort.env !== 'object') {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `ort must be the ONNX Runtime Web module (import * as ort from 'onnxruntime-web'), but found ${show(ort)}.`,
    )
  }
}
