import { decodeFloat32 } from '../core/decode.js'
import { type DType, integerFormats, isFloatDType } from '../core/dtype.js'
import type { Parameter } from '../ir/parameter.js'
import { createMatcher } from '../model/match.js'
import { type Moments, mergeMoments, momentsOf, noMoments } from '../statistics/moments.js'
import { CheckpointReader, type CheckpointTensor } from './checkpoint-reader.js'

/** The number of bytes that are read at a time: a multiple of the length of every dtype's elements. */
const CHUNK_BYTES = 2 ** 22

/** Statistics of the values of one tensor. */
export interface TensorStatistics {
  /** The number of finite elements. Mean, std, min and max are over these, and NaN if there are none. */
  readonly count: number
  readonly mean: number
  /** Population standard deviation: the sum of squares is divided by `count`. */
  readonly std: number
  readonly min: number
  readonly max: number
  readonly nonFiniteCount: number
  readonly zeroCount: number
}

export interface InspectedTensor extends CheckpointTensor {
  readonly elementCount: number
  /** Absent if statistics were not requested, and for dtypes without one number per element (float8, complex, ...). */
  readonly statistics?: TensorStatistics
}

export interface CheckpointInspection {
  /** The file, or all files that an index lists. */
  readonly files: readonly { readonly path: string; readonly byteLength: number }[]
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: readonly InspectedTensor[]
}

export interface InspectOptions {
  /** Names of the tensors to inspect, as globs or regular expressions. Default: all tensors. */
  readonly only?: readonly (string | RegExp)[]
  /** Whether to read the values too, and not only the headers. Default true. */
  readonly statistics?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void
}

/**
 * Lists the tensors of a .safetensors file, or of the files of a model.safetensors.index.json, with their statistics. The
 * file may come from any program. It is streamed: the host holds 4 MiB of it at a time. Sums are computed in float64, about
 * the running mean.
 *
 * @throws WeightInitError `IO`, `INVALID_FILE`; `INVALID_ARGUMENT` for a pattern that is not valid
 * @example
 * const { tensors } = await inspectCheckpoint('model.safetensors', { only: ['*.bias'] })
 * for (const { name, shape, statistics } of tensors) console.log(name, shape, statistics?.std)
 */
export async function inspectCheckpoint(path: string, options: InspectOptions = {}): Promise<CheckpointInspection> {
  const { only, statistics = true, signal, onProgress } = options
  const matchers = only?.map((pattern) => createMatcher(pattern, 'option only'))
  const reader = await CheckpointReader.open(path)
  try {
    // A tensor of a file has no role, but a glob or a regular expression needs only the name.
    const chosen = [...reader.tensors.values()].filter(
      ({ name }) => matchers === undefined || matchers.some((matcher) => matcher.matches({ name } as Parameter)),
    )
    const bytesTotal = chosen.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const tensors: InspectedTensor[] = []
    let bytesDone = 0
    for (const tensor of chosen) {
      const elementCount = tensor.shape.reduce((a, b) => a * b, 1)
      const dtype = tensor.dtype ?? (tensor.storedDType === 'F64' ? 'float64' : undefined)
      if (!statistics || dtype === undefined) {
        tensors.push({ ...tensor, elementCount })
      } else {
        let moments = noMoments
        for (let start = 0; start < tensor.byteLength; start += CHUNK_BYTES) {
          signal?.throwIfAborted()
          const bytes = await reader.read(tensor.name, start, Math.min(CHUNK_BYTES, tensor.byteLength - start))
          const values = decode(bytes, dtype)
          // The sums are about a value near the mean, because about 0 the variance of values far from 0 would lose its digits.
          const center = moments.count > 0 ? moments.mean : firstFinite(values)
          moments = mergeMoments(moments, momentsOf(values, center))
          onProgress?.({ bytesDone: bytesDone + start + bytes.length, bytesTotal })
        }
        tensors.push({ ...tensor, elementCount, statistics: statisticsOf(moments) })
      }
      bytesDone += tensor.byteLength
    }
    const files = reader.files.map((file) => ({ path: file.path, byteLength: file.fileLength }))
    return { files, metadata: reader.metadata, tensors }
  } finally {
    await reader.close()
  }
}

function decode(bytes: Uint8Array, dtype: DType | 'float64'): ArrayLike<number> {
  if (dtype === 'float64') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Float64Array.from({ length: bytes.byteLength / 8 }, (_, i) => view.getFloat64(8 * i, true))
  }
  if (isFloatDType(dtype)) return decodeFloat32(bytes, dtype)
  // In float64: float32 would round integers.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { read, byteWidth } = integerFormats[dtype]
  return Float64Array.from({ length: bytes.byteLength / byteWidth }, (_, i) => read(view, i))
}

function firstFinite(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) return values[i]!
  return 0
}

function statisticsOf({ count, mean, squares, min, max, nonFiniteCount, zeroCount }: Moments): TensorStatistics {
  const none = count === 0
  return {
    count,
    mean: none ? Number.NaN : mean,
    std: none ? Number.NaN : Math.sqrt(squares / count),
    min: none ? Number.NaN : min,
    max: none ? Number.NaN : max,
    nonFiniteCount,
    zeroCount,
  }
}
