import { show, WeightInitError } from '../../core/errors.js'
import type { OrtModule } from './types.js'

/**
 * The GPUDevice that ONNX Runtime Web's default build made for itself, which it does with its first WebGPU session. Buffers
 * of any other device fail there.
 *
 * The builds '/webgpu' and '/jspi' compute on the device of their session options,
 * `executionProviders: [{ name: 'webgpu', device }]`: pass that one on, this function does not know it.
 *
 * @throws WeightInitError `INVALID_ARGUMENT` before the first WebGPU session, and where ONNX Runtime Web names no device
 */
export async function sessionDevice(ort: OrtModule): Promise<GPUDevice> {
  checkModule(ort)
  const { webgpu } = ort.env
  // Reading it before a session exists would make a device that no session uses.
  const device: unknown = webgpu !== undefined && 'device' in webgpu ? await webgpu.device : undefined
  if (typeof (device as GPUDevice | undefined)?.createComputePipelineAsync === 'function') return device as GPUDevice
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `ort.env.webgpu.device is ${show(device)}. Create a session with executionProviders: ['webgpu'] first; with the /webgpu and ` +
      "/jspi builds, pass the device of the session's options: { device }.",
  )
}

/** @throws WeightInitError `INVALID_ARGUMENT` for anything that is not the module, and for its worker proxy */
export function checkModule(ort: OrtModule): void {
  if (typeof ort?.Tensor?.fromGpuBuffer !== 'function' || typeof ort.env !== 'object') {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `ort must be the ONNX Runtime Web module (import * as ort from 'onnxruntime-web'), but found ${show(ort)}.`,
    )
  }
}
