import { show, WeightInitError } from '../core/errors.js'
import type { InitializedModel, InitializedParameter } from '../weights/initialized-model.js'

/** A parameter that fills one buffer from its first byte. */
export interface WholeBuffer {
  readonly parameter: InitializedParameter
  readonly buffer: GPUBuffer | ArrayBuffer
}

/**
 * Libraries that take a buffer bind all of it: no offset, no segments.
 * @throws WeightInitError `DESTROYED`, `UNKNOWN_PARAMETER`, `LIMIT_EXCEEDED` for segments, `INVALID_BUFFER` for an offset
 */
export function wholeBuffer(weights: InitializedModel, name: string, library: string): WholeBuffer {
  if (weights.destroyed) {
    throw new WeightInitError(
      'DESTROYED',
      `Parameter ${show(name)}: these weights were destroyed; hand them to ${library} first, and destroy them when it is done.`,
    )
  }
  const parameter: InitializedParameter = weights.get(name)
  if (parameter.segments.length > 1) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `Parameter ${show(name)} of ${parameter.byteLength} bytes lives in ${parameter.segments.length} buffers; ${library} takes one. ` +
        'Initialise without segments: true, on a device whose maxBufferSize holds it.',
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
