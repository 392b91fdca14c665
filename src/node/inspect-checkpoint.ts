import { decodeFloat32 } from '../core/decode.js'
import { type DType, integerFormats, isFloatDType } from '../core/dtype.js'
import type { Parameter } from '../ir/parameter.js'
import { createMatcher } from '../model/match.js'
import { type Moments, mergeMoments, momentsOf, noMoments } from '../statistics/moments.js'
import { CheckpointReader, type CheckpointTensor } from './checkpoint-reader.js'

/** Bytes on the host at a time; whole elements of every dtype. */
const CHUNK_BYTES = 2 ** 22

/** What a tensor of a file holds. */
export interface TensorStatistics {
  /** Finite elements; mean, std, min and max are over these, and NaN where there are none. */
  readonly count: number
  readonly mean: number
  /** Population standard deviation: divided by count. */
  readonly std: number
  readonly min: number
  readonly max: number
  readonly nonFiniteCount: number
  readonly zeroCount: number
}

export interface InspectedTensor extends CheckpointTensor {
  readonly elementCount: number
  /** Absent where they were not asked for, and for dtypes without a number per element (float8, complex, ...). */
  readonly statistics?: TensorStatistics
}

export interface CheckpointInspection {
  /** One, or those of an index. */
  readonly files: readonly { readonly path: string; readonly byteLength: number }[]
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: readonly InspectedTensor[]
}

export interface InspectOptions {
  /** Which tensors, by name; default: all. */
  readonly only?: readonly (string | RegExp)[]
  /** Read the values too, or the headers only. Default true. */
  readonly statistics?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void
}

/**
 * Table and statistics of a .safetensors file, or of the files of a model.safetensors.index.json, from anywhere. Streamed:
 * the host holds 4 MiB of it at a time. Sums are float64, about the running mean.
 *
 * @throws WeightInitError `IO`, `INVALID_FILE`
 */
export async function inspectCheckpoint(path: string, options: InspectOptions = {}): Promise<CheckpointInspection> {
  const { only, statistics = true, signal, onProgress } = options
  const matchers = only?.map((pattern) => createMatcher(pattern, 'option only'))
  const reader = await CheckpointReader.open(path)
  try {
    // A tensor of a file has a name and no role: a glob or an expression asks for no more.
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
          // Sums about a value near the mean: about 0 the variance of values far from it would cancel.
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
