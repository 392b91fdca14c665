import type { DType } from '../../core/dtype.js'
import { refuse, show, WeightInitError } from '../../core/errors.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../../gpu/device/constants.js'
import type { InitializedModel } from '../../weights/initialized-model.js'
import { checkBindingSize, wholeBuffer } from '../whole-buffer.js'
import { backendDevice, checkModule, requireWebGpuGlobals } from './device.js'
import type { TfjsModule, TfjsTensor } from './types.js'

const library = 'TensorFlow.js'

/** @throws WeightInitError `UNSUPPORTED_DTYPE` */
export function tfjsDType(name: string, dtype: DType): 'float32' | 'int32' {
  if (dtype === 'float32' || dtype === 'int32') return dtype
  throw new WeightInitError(
    'UNSUPPORTED_DTYPE',
    `Parameter ${show(name)} is ${dtype}; ${library} makes tensors from buffers of float32 and int32 only. ` +
      "Initialise with dtype: 'float32', or skip it.",
  )
}

/**
 * Makes a parameter a tensor of TensorFlow.js that uses the same memory, without a copy or a readback. The tensor has the
 * parameter's shape. TensorFlow.js expects kernels as [in, out], so give such a parameter the layout 'in-out'.
 *
 * Weights on a GPUDevice need TensorFlow.js's WebGPU backend on the same device. Weights on the CPU work with any backend, as
 * a view of the host memory. TensorFlow.js never frees or writes the buffer: call `weights.destroy()` when no tensor or
 * variable uses it any more.
 *
 * @param tf the module, as `import * as tf from '@tensorflow/tfjs'`, with a backend that is set and ready
 * @param name the parameter's name in `weights`
 * @throws WeightInitError `UNKNOWN_PARAMETER`, `UNSUPPORTED_DTYPE` (only float32 and int32 are supported), `INVALID_BUFFER`
 *   (offset, size or usage), `LIMIT_EXCEEDED` (segments, maxStorageBufferBindingSize), `INVALID_ARGUMENT` (another device),
 *   `DESTROYED`
 * @example
 * const kernel = tf.variable(toTensor(tf, weights, 'dense/kernel'))
 */
export function toTensor<T extends TfjsTensor>(tf: TfjsModule<T>, weights: InitializedModel, name: string): T {
  checkModule(tf)
  const { parameter, buffer } = wholeBuffer(weights, name, library)
  const dtype = tfjsDType(name, parameter.dtype)
  const shape = [...parameter.shape]
  if (weights.device === undefined) {
    const Values = dtype === 'float32' ? Float32Array : Int32Array
    return tf.tensor(new Values(buffer as ArrayBuffer, parameter.byteOffset, parameter.elementCount), shape, dtype)
  }
  checkDevice(tf, weights.device)
  checkBindingSize(name, parameter.byteLength, weights.device, library)
  checkBuffer(name, parameter.byteLength, buffer as GPUBuffer)
  return tf.tensor({ buffer: buffer as GPUBuffer, zeroCopy: true }, shape, dtype)
}

/**
 * Makes every parameter a tensor, as `toTensor` does. The map has the parameters' names as keys, in the model's order. If one
 * parameter cannot become a tensor, the tensors that were made are disposed of. Tied parameters share their memory.
 * @throws the same errors as `toTensor`
 */
export function toTensors<T extends TfjsTensor>(tf: TfjsModule<T>, weights: InitializedModel): Map<string, T> {
  const tensors = new Map<string, T>()
  try {
    for (const name of weights.parameters.keys()) tensors.set(name, toTensor(tf, weights, name))
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose()
    throw error
  }
  return tensors
}

/** @throws WeightInitError `INVALID_ARGUMENT` unless TensorFlow.js computes on this device; `NO_ADAPTER` */
function checkDevice(tf: TfjsModule, device: GPUDevice): void {
  const theirs = backendDevice(tf)
  if (theirs === undefined) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `${library} runs on its ${show(tf.getBackend())} backend, which cannot use a GPUBuffer. Await tf.setBackend('webgpu') ` +
        "first, or initialise with device: 'cpu'.",
    )
  }
  if (theirs !== device) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `The weights and ${library} are on different GPUDevices, and a buffer belongs to one. Initialise with ` +
        'device: tf.backend().device, or give it yours: await useDevice(tf, WebGPUBackend, device).',
    )
  }
  requireWebGpuGlobals()
}

/** @throws WeightInitError `INVALID_BUFFER`; this is possible only for buffers from the option `into` */
function checkBuffer(name: string, byteLength: number, buffer: GPUBuffer): void {
  const fail = refuse('INVALID_BUFFER', `Parameter ${show(name)}: `)
  if (buffer.size !== byteLength) {
    fail(
      `its buffer has ${buffer.size} bytes and the tensor ${byteLength}; ${library} reads a larger buffer to its end. ` +
        "Initialise with buffers: 'separate' (the default), or into a buffer of exactly that size.",
    )
  }
  // Without COPY_DST, a copy of the tensor would contain zeros, and the only sign would be an uncaptured error.
  const needed = USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST
  if ((buffer.usage & needed) !== needed) {
    fail(
      `its buffer's usage ${buffer.usage} lacks ${[
        ['STORAGE', USAGE_STORAGE] as const,
        ['COPY_SRC', USAGE_COPY_SRC] as const,
        ['COPY_DST', USAGE_COPY_DST] as const,
      ]
        .filter(([, flag]) => (buffer.usage & flag) === 0)
        .map(([flag]) => flag)
        .join(' and ')}; ${library} needs STORAGE | COPY_SRC | COPY_DST.`,
    )
  }
}
