import { show, WeightInitError } from '../core/errors.js'
import type { InitializedModel, InitializedParameter } from '../weights/initialized-model.js'

/** A parameter that begins at the first byte of a buffer and is stored in that buffer only. */
export interface WholeBuffer {
  readonly parameter: InitializedParameter
  readonly buffer: GPUBuffer | ArrayBuffer
}

/**
 * The buffer of a parameter, for a library that binds whole buffers, without offsets or segments.
 * @throws WeightInitError `DESTROYED`, `UNKNOWN_PARAMETER`, `LIMIT_EXCEEDED` for segments, `INVALID_BUFFER` for an offset
 */
export function wholeBuffer(weights: InitializedModel, name: string, library: string): WholeBuffer {
  if (weights.destroyed) {
    throw new WeightInitError(
      'DESTROYED',
      `Parameter ${show(name)}: these weights were destroyed. Destroy them only when ${library} does not need them any more.`,
    )
  }
  const parameter: InitializedParameter = weights.get(name)
  if (parameter.segments.length > 1) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `Parameter ${show(name)} of ${parameter.byteLength} bytes is stored in ${parameter.segments.length} buffers, but ${library} needs it in one. ` +
        'Initialise without segments: true, on a device with a maxBufferSize of at least this length.',
    )
  }
  const { buffer, byteOffset } = parameter
  if (byteOffset !== 0 && weights.backend === 'webgpu') {
    throw new WeightInitError(
      'INVALID_BUFFER',
      `Parameter ${show(name)} starts at byte ${byteOffset} of its buffer; ${library} binds whole buffers, from byte 0. ` +
        "Initialise with buffers: 'separate' (the default), or into a buffer of its own.",
    )
  }
  return { parameter, buffer }
}

/** @throws WeightInitError `LIMIT_EXCEEDED` */
export function checkBindingSize(name: string, byteLength: number, device: GPUDevice, library: string): void {
  const limit = device.limits.maxStorageBufferBindingSize
  if (byteLength <= limit) return
  throw new WeightInitError(
    'LIMIT_EXCEEDED',
    `Parameter ${show(name)} needs a binding of ${byteLength} bytes; this device has maxStorageBufferBindingSize ${limit}, and ` +
      `${library} binds a tensor whole. Give ${library} a device requested with a larger requiredLimits.maxStorageBufferBindingSize, or split the layer.`,
  )
}
