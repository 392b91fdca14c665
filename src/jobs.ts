import { constantPattern, type SamplerName, samplerLaw } from './distributions.js'
import type { DType, FloatDType } from './dtype.js'
import { type PartGeometry, partGeometry } from './parts/geometry.js'
import type { PlannedParameter } from './plan.js'
import { high32, low32, type Stream } from './random/keys.js'

/** How a parameter's elements are made: the same facts for the GPU and the CPU. No GPU types. */
export type FillSource =
  | { readonly kind: 'constant'; readonly pattern: Uint8Array }
  | {
      readonly kind: 'sampler'
      readonly sampler: SamplerName
      readonly constants: Float32Array
      readonly stream: Stream
    }

/**
 * Elements [firstElement, firstElement + elementCount) of a parameter, row-major in its full shape; or, with `part`, of
 * that part of it.
 */
export interface FillJob {
  readonly name: string
  readonly dtype: DType
  readonly firstElement: number
  readonly elementCount: number
  /** Only where a random parameter's elements are more than one run of neighbours. */
  readonly part?: PartGeometry
  readonly source: FillSource
}

/** The whole of a parameter as one job. */
export function fillJob(parameter: PlannedParameter): FillJob {
  const { name, dtype, elementCount, distribution, stream, part } = parameter
  const geometry = part === undefined ? undefined : partGeometry(part.fullShape, part.start, part.end)
  const oneRun = geometry === undefined || geometry.axes.length === 1 || distribution.kind === 'constant'
  return {
    name,
    dtype,
    firstElement: oneRun ? (geometry?.origin ?? 0) : 0,
    elementCount,
    ...(oneRun ? {} : { part: geometry }),
    source:
      distribution.kind === 'constant'
        ? { kind: 'constant', pattern: constantPattern(distribution.value, dtype) }
        : { kind: 'sampler', ...samplerLaw(distribution), stream },
  }
}

/** dtype of a job that draws; the plan lets only floating dtypes get here. */
export function sampledDType(job: FillJob): FloatDType {
  return job.dtype as FloatDType
}

/** The 64-bit Philox counter of the block that holds `element`, as (low, high). */
export function blockCounter(stream: Stream, element: number): readonly [low: number, high: number] {
  const counter = stream.offset + BigInt(Math.floor(element / 4))
  return [low32(counter), high32(counter)]
}
