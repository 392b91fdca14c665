import { type Distribution, fillingOf } from './distributions.js'
import type { DType } from './dtype.js'
import { matrixDraws } from './generators/matrices.js'
import { plainDraw } from './generators/sample.js'
import type { GeneratorDraw, GeneratorSource, RandomLaw } from './generators/types.js'
import type { CustomSampler } from './laws/custom.js'
import type { LawOf } from './laws/types.js'
import { type PartGeometry, partGeometry } from './parts/geometry.js'
import { overlaysOfPart } from './parts/overlays.js'
import type { PlannedParameter } from './plan.js'
import { high32, low32, type Stream } from './random/keys.js'

/** Which shader makes the values: shaders/distributions/<name>.wgsl. */
export type SamplerName = 'uniform' | 'normal' | 'truncated_normal' | 'sparse'

/** How elements are made, from their index alone: the same facts for the GPU and the CPU. No GPU types. */
export type FillSource =
  | { readonly kind: 'constant'; readonly pattern: Uint8Array }
  | {
      readonly kind: 'sampler'
      readonly sampler: SamplerName | CustomSampler
      /** The twelve 32-bit constants of shaders/core/law.wgsl. */
      readonly constants: Uint32Array
      readonly stream: Stream
    }
  | ({ readonly kind: 'generator' } & GeneratorDraw)
  /** The same for every seed, and made on the host. */
  | { readonly kind: 'table'; readonly law: LawOf<'sinusoid'> }
  | {
      readonly kind: 'orthogonal'
      readonly law: LawOf<'orthogonal'>
      readonly stream: Stream
      /** Where its normals come from, if not from `stream`. */
      readonly origin?: GeneratorSource
    }

/**
 * Written over the source's elements, in order. Indices count as the job's `firstElement` does: row-major in the full
 * tensor, or within the part where a job fills one that is many runs.
 */
export type Overlay =
  | { readonly kind: 'range'; readonly first: number; readonly count: number; readonly pattern: Uint8Array }
  | {
      readonly kind: 'diagonal'
      readonly first: number
      /** At least 2: two elements never share a 32-bit word. */
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
  readonly overlays: readonly Overlay[]
}

/** The whole of a parameter as one job. */
export function fillJob(parameter: PlannedParameter): FillJob {
  const { name, dtype, elementCount, distribution, stream, source: origin, part } = parameter
  const filling = fillingOf(distribution, dtype, stream)
  // Another library's generator draws the law in its own way.
  const source = origin === undefined ? filling.source : generatorSource(filling.source, distribution, origin)
  const overlays = [...filling.overlays, ...parameter.overlays]
  const geometry = part === undefined ? undefined : partGeometry(part.fullShape, part.start, part.end)
  if (geometry === undefined || geometry.axes.length === 1) {
    return { name, dtype, firstElement: geometry?.origin ?? 0, elementCount, source, overlays }
  }
  return {
    name,
    dtype,
    firstElement: 0,
    elementCount,
    // A constant's elements are the same wherever they lie.
    ...(source.kind === 'constant' ? {} : { part: geometry }),
    source,
    overlays: overlaysOfPart(overlays, geometry, elementCount),
  }
}

function generatorSource(own: FillSource, law: Distribution, origin: GeneratorSource): FillSource {
  if (own.kind === 'constant') return own
  if (own.kind === 'orthogonal') return { ...own, origin }
  return { kind: 'generator', ...plainDraw({ law: law as RandomLaw, origin }) }
}

/** The 64-bit Philox counter of the block that holds `element`, as (low, high). */
export function blockCounter(stream: Stream, element: number): readonly [low: number, high: number] {
  const counter = stream.offset + BigInt(Math.floor(element / 4))
  return [low32(counter), high32(counter)]
}

/** The part of a diagonal that lies in elements [first, first + count): indices from `first` on, or undefined. */
export function clipDiagonal(
  run: { readonly first: number; readonly stride: number; readonly count: number },
  first: number,
  count: number,
): { readonly first: number; readonly stride: number; readonly count: number } | undefined {
  const skipped = Math.max(0, Math.ceil((first - run.first) / run.stride))
  const start = run.first + skipped * run.stride
  const left = Math.min(run.count - skipped, Math.ceil((first + count - start) / run.stride))
  return left > 0 ? { first: start - first, stride: run.stride, count: left } : undefined
}

/** The part of a range that lies in elements [first, first + count), likewise. */
export function clipRange(
  range: { readonly first: number; readonly count: number },
  first: number,
  count: number,
): { readonly first: number; readonly count: number } | undefined {
  const start = Math.max(range.first, first)
  const end = Math.min(range.first + range.count, first + count)
  return end > start ? { first: start - first, count: end - start } : undefined
}

/**
 * The N(0, 1) elements that an orthogonal law starts from, matrix after matrix: those of the parameter's own stream, or
 * another library's draws, a job each.
 */
export function orthogonalNormals({ law, stream, origin }: FillSource & { kind: 'orthogonal' }): FillJob[] {
  const each = law.rows * law.columns
  const job = (source: FillSource, elementCount: number): FillJob => {
    return { name: 'orthogonal', dtype: 'float32', firstElement: 0, elementCount, source, overlays: [] }
  }
  if (origin !== undefined) return matrixDraws(law, origin).map((draw) => job({ kind: 'generator', ...draw }, each))
  const { source } = fillingOf({ kind: 'normal', mean: 0, std: 1 }, 'float32', stream)
  return [job(source, law.batch * each)]
}
