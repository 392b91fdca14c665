import type { DType } from '../core/dtype.js'
import type { Stream } from '../random/keys.js'
import type { CustomSampler, DistributionOf } from './distribution.js'
import type { GeneratorDraw, GeneratorSource } from './generator.js'
import type { PartGeometry } from './part.js'

/** How a parameter's elements are made: a source for all of them, then patches over some. */
export interface Filling {
  readonly source: FillSource
  readonly patches: readonly Patch[]
}

/** Which shader makes the values: shaders/distributions/<name>.wgsl. */
export type SamplerName = 'uniform' | 'normal' | 'truncated_normal' | 'sparse'

/** How elements are made, from their index alone: the same facts for the GPU and the CPU. No GPU types. */
export type FillSource =
  | { readonly kind: 'constant'; readonly pattern: Uint8Array }
  | {
      readonly kind: 'sampler'
      readonly sampler: SamplerName | CustomSampler
      /** The twelve 32-bit constants of shaders/core/constants.wgsl. */
      readonly constants: Uint32Array
      readonly stream: Stream
    }
  | ({ readonly kind: 'generator' } & GeneratorDraw)
  /** The same for every seed, and made on the host. */
  | { readonly kind: 'table'; readonly distribution: DistributionOf<'sinusoid'> }
  | {
      readonly kind: 'orthogonal'
      readonly distribution: DistributionOf<'orthogonal'>
      readonly stream: Stream
      /** Where its normals come from, if not from `stream`. */
      readonly generatorSource?: GeneratorSource
    }

/**
 * Written over the source's elements, in order. Indices count as the job's `firstElement` does: row-major in the full
 * tensor, or within the part where a job fills one that is many runs.
 */
export type Patch =
  | { readonly kind: 'range'; readonly first: number; readonly count: number; readonly pattern: Uint8Array }
  | {
      readonly kind: 'diagonal'
      readonly first: number
      /** At least 2. */
      readonly stride: number
      readonly count: number
      readonly pattern: Uint8Array
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
  readonly patches: readonly Patch[]
}
