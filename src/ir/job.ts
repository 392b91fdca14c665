import type { DType } from '../core/dtype.js'
import type { Stream } from '../random/keys.js'
import type { CustomSampler, DistributionOf } from './distribution.js'
import type { GeneratorDraw, GeneratorSource } from './generator.js'
import type { PartGeometry } from './part.js'

/** How a parameter's elements are made: a source makes all of them, and patches then overwrite some. */
export interface FillSpec {
  readonly source: FillSource
  readonly patches: readonly Patch[]
}

/** The name of the shader that makes the values: shaders/distributions/<name>.wgsl. */
export type SamplerName = 'uniform' | 'normal' | 'truncated_normal' | 'sparse'

/** How elements are made from their index alone. Both backends use this description, so it contains no GPU types. */
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
  /** A fixed table, which is the same for every seed and is made on the host. */
  | { readonly kind: 'table'; readonly distribution: DistributionOf<'sinusoid'> }
  | {
      readonly kind: 'orthogonal'
      readonly distribution: DistributionOf<'orthogonal'>
      readonly stream: Stream
      /** Where the normals come from that the matrices are made of; without it, from `stream`. */
      readonly generatorSource?: GeneratorSource
    }

/**
 * A patch is written over the source's elements; patches are applied in order. Indices count like the job's `firstElement`:
 * row-major in the full tensor or, if the job has a `part`, within that part.
 */
export type Patch =
  | { readonly kind: 'range'; readonly first: number; readonly count: number; readonly pattern: Uint8Array }
  | {
      readonly kind: 'diagonal'
      readonly first: number
      /** At least 2, so that two of the elements never share a 32-bit word. */
      readonly stride: number
      readonly count: number
      readonly pattern: Uint8Array
    }

/**
 * Fills elements [firstElement, firstElement + elementCount) of a parameter, row-major in its full shape or, with `part`,
 * within that part.
 */
export interface FillJob {
  readonly name: string
  readonly dtype: DType
  readonly firstElement: number
  readonly elementCount: number
  /** Only if a random parameter's elements form more than one contiguous run of the full tensor. */
  readonly part?: PartGeometry
  readonly source: FillSource
  readonly patches: readonly Patch[]
}
