import { type DType, dtypes } from '../../core/dtype.js'
import { refuse, show, WeightInitError } from '../../core/errors.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../../gpu/device/constants.js'
import type { InitializedModel } from '../../weights/initialized-model.js'
import { checkBindingSize, wholeBuffer } from '../whole-buffer.js'
import { checkModule } from './device.js'
import type { OrtModule, OrtTensor } from './types.js'

const library = 'ONNX Runtime Web'

/** ONNX Runtime Web reads and copies buffers in units of this many bytes. */
export const ORT_BUFFER_ALIGNMENT = 16

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView
}

/** Of each dtype: the typed array of a CPU tensor, and whether ONNX Runtime Web takes a GPUBuffer of it; undefined: neither. */
const support: Readonly<
  Record<DType, { readonly array: () => TypedArrayConstructor; readonly gpu: boolean } | undefined>
> = {
  float32: { array: () => Float32Array, gpu: true },
  // ONNX Runtime Web uses Float16Array where the runtime has one.
  float16: {
    array: () => (globalThis as { Float16Array?: typeof Uint16Array }).Float16Array ?? Uint16Array,
    gpu: true,
  },
  bfloat16: undefined,
  float8_e4m3fn: undefined,
  float8_e5m2: undefined,
  int64: { array: () => BigInt64Array, gpu: true },
  int32: { array: () => Int32Array, gpu: true },
  int16: { array: () => Int16Array, gpu: false },
  int8: { array: () => Int8Array, gpu: false },
  uint64: { array: () => BigUint64Array, gpu: false },
  uint32: { array: () => Uint32Array, gpu: true },
  uint16: { array: () => Uint16Array, gpu: false },
  uint8: { array: () => Uint8Array, gpu: true },
  bool: { array: () => Uint8Array, gpu: true },
}

/** @throws WeightInitError `UNSUPPORTED_DTYPE` */
export function checkOrtDType(name: string, dtype: DType, device: 'cpu' | 'webgpu'): void {
  const known = dtypes.filter((each) => support[each] !== undefined && (device === 'cpu' || support[each].gpu))
  if (known.includes(dtype)) return
  throw new WeightInitError(
    'UNSUPPORTED_DTYPE',
    `Parameter ${show(name)} is ${dtype}; ${library} takes ${known.join(', ')} ${device === 'cpu' ? 'from the CPU' : 'from a GPUBuffer'}. ` +
      "Initialise with dtype: 'float32' or 'float16', or skip it.",
  )
}

/**
 * Makes a parameter a tensor of ONNX Runtime Web that uses the same GPUBuffer, without a copy or a readback. Such a tensor
 * can only be a graph input; its `getData()` reads the buffer. ONNX Runtime never frees the buffer: call `weights.destroy()`
 * when no run needs it any more. Weights on the CPU become a CPU tensor that uses the same host memory.
 *
 * The buffer must belong to the device of the session (`sessionDevice`), and its length must be a multiple of 16 bytes:
 * initialise with `bufferAlignment: 16`, or with `initializeInputs`.
 *
 * @throws WeightInitError `UNKNOWN_PARAMETER`, `UNSUPPORTED_DTYPE` (bfloat16 and float8 among them), `INVALID_BUFFER` (offset, padding
 *   or usage), `LIMIT_EXCEEDED` (segments, maxStorageBufferBindingSize), `INVALID_ARGUMENT` (env.wasm.proxy), `DESTROYED`
 * @example
 * const feeds = { x, weight: toTensor(ort, weights, 'weight') }
 * const { y } = await session.run(feeds)
 */
export function toTensor<M extends OrtModule>(ort: M, weights: InitializedModel, name: string): OrtTensor<M> {
  checkModule(ort)
  const { parameter, buffer } = wholeBuffer(weights, name, library)
  const { dtype, shape: dims, byteLength, byteOffset } = parameter
  checkOrtDType(name, dtype, weights.backend)
  if (weights.device === undefined) {
    const data = typedArray(dtype, new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength))
    return new ort.Tensor(dtype as never, data as never, [...dims] as never) as OrtTensor<M>
  }
  if (ort.env.wasm?.proxy === true) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `A tensor over a GPUBuffer cannot go to ${library}'s proxy worker. Set ort.env.wasm.proxy = false before the first session.`,
    )
  }
  checkBindingSize(name, byteLength, weights.device, library)
  checkBuffer(name, byteLength, buffer as GPUBuffer)
  const download = async (): Promise<unknown> => typedArray(dtype, await weights.readBytes(name))
  const options = { dims: [...dims], dataType: dtype, download }
  return ort.Tensor.fromGpuBuffer(buffer as never, options as never) as OrtTensor<M>
}

/**
 * Makes every parameter a tensor, by name. Add them to the feeds: `session.run({ x, ...toFeeds(ort, weights) })`.
 * @throws the same errors as `toTensor`
 */
export function toFeeds<M extends OrtModule>(ort: M, weights: InitializedModel): Record<string, OrtTensor<M>> {
  return Object.fromEntries([...weights.parameters.keys()].map((name) => [name, toTensor(ort, weights, name)]))
}

/** @throws WeightInitError `INVALID_BUFFER` */
function checkBuffer(name: string, byteLength: number, buffer: GPUBuffer): void {
  const fail = refuse('INVALID_BUFFER', `Parameter ${show(name)}: `)
  const needed = Math.ceil(byteLength / ORT_BUFFER_ALIGNMENT) * ORT_BUFFER_ALIGNMENT
  if (buffer.size < needed) {
    fail(
      `its buffer has ${buffer.size} bytes; ${library} needs whole multiples of ${ORT_BUFFER_ALIGNMENT}, here ${needed}. ` +
        'Initialise with bufferAlignment: 16.',
    )
  }
  const usage = USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST
  if ((buffer.usage & usage) !== usage) {
    fail(`its buffer's usage is ${buffer.usage}; ${library} needs STORAGE | COPY_SRC | COPY_DST (${usage}).`)
  }
}

/** The bytes as the kind of typed array that ONNX Runtime Web uses for the dtype: a view if they are aligned, else a copy. */
function typedArray(dtype: DType, bytes: Uint8Array): ArrayBufferView {
  const Values = support[dtype]!.array()
  const { buffer, byteOffset, byteLength } = bytes
  return new Values(buffer as ArrayBuffer, byteOffset, byteLength / Values.BYTES_PER_ELEMENT)
}
