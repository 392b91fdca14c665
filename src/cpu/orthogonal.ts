import { eventLoopTurn } from '../core/event-loop.js'
import { matrixOffset } from '../distributions/orthogonal.js'
import { orthogonalNormals } from '../fill/make-job.js'
import { drawsTransposed } from '../generators/matrices.js'
import { sampleGenerator } from '../generators/sample.js'
import type { DistributionOf } from '../ir/distribution.js'
import type { FillJob, FillSource } from '../ir/job.js'
import type { PartGeometry } from '../ir/part.js'
import { orthonormalityError, orthonormalitySteps, orthonormalize } from '../linalg/qr.js'
import { partRuns } from '../plan/parts/geometry.js'
import { sampleBytes } from './sample.js'

export type OrthogonalSource = FillSource & { kind: 'orthogonal' }

interface CachedMatrix {
  readonly index: number
  readonly elements: Float32Array
  readonly draws: readonly FillJob[]
  /** Of every matrix that was made, by number: how close to singular its normals were. */
  readonly cancellations: Map<number, number>
}

/**
 * A matrix can only be made as a whole, while its elements are requested in chunks. Therefore the last matrix of each source
 * is cached as long as the source exists.
 */
let cache: WeakMap<OrthogonalSource, CachedMatrix> | undefined

/** Matrix `index` of an orthogonal distribution, row-major. */
function matrixOf(source: OrthogonalSource, index: number): Float32Array {
  cache ??= new WeakMap()
  const cached = cache.get(source)
  if (cached?.index === index) return cached.elements
  const { rows, columns, gain } = source.distribution
  const draws = cached?.draws ?? orthogonalNormals(source)
  const elements = normalsOf(source, draws, index)
  const cancellations = cached?.cancellations ?? new Map<number, number>()
  cancellations.set(index, orthonormalize(elements, rows, columns, 1, gain))
  cache.set(source, { index, elements, draws, cancellations })
  return elements
}

/** How close to singular matrix `index` was that has just been made: what `orthonormalize` gives. */
export const cancellationOf = (source: OrthogonalSource, index: number): number =>
  cache?.get(source)?.cancellations.get(index) ?? 1

/** The matrix before it is orthonormal: of the parameter's own stream, or another library's draw. */
function normalsOf(source: OrthogonalSource, draws: readonly FillJob[], index: number): Float32Array {
  const { distribution, generatorSource } = source
  const { rows, columns } = distribution
  const count = rows * columns
  const draw = draws[generatorSource === undefined ? 0 : index]!.source
  if (draw.kind !== 'generator') {
    const values = new Float32Array(count)
    const bytes = new Uint8Array(values.buffer)
    sampleBytes(draw as FillSource & { kind: 'sampler' }, undefined, 'float32', index * count, bytes)
    return values
  }
  const drawn = sampleGenerator(draw, 0, count)
  if (!drawsTransposed(distribution, generatorSource)) return drawn.slice()
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[(i % rows) * columns + Math.floor(i / rows)] = drawn[i]!
  return values
}

/** Elements [first, first + count) of an orthogonal distribution's tensor, or of a part of it, as float32. */
export function orthogonalElements(
  source: OrthogonalSource,
  part: PartGeometry | undefined,
  first: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const { distribution } = source
  const out = new Float32Array(count)
  const runs = part === undefined ? [{ first, count }] : partRuns(part, first, count)
  let done = 0
  for (const run of runs) {
    if (distribution.field === 1) copyRun(source, run, out.subarray(done, done + run.count))
    else copyCentre(source, run, out.subarray(done, done + run.count))
    done += run.count
  }
  return out
}

interface Run {
  readonly first: number
  readonly count: number
}

function copyRun(source: OrthogonalSource, { first, count }: Run, out: Float32Array): void {
  const each = source.distribution.rows * source.distribution.columns
  for (let done = 0; done < count; ) {
    const index = Math.floor((first + done) / each)
    const within = first + done - index * each
    const length = Math.min(each - within, count - done)
    out.set(matrixOf(source, index).subarray(within, within + length), done)
    done += length
  }
}

/** Copies a delta-orthogonal matrix to its place in every kernel; all other elements stay 0. */
function copyCentre(source: OrthogonalSource, { first, count }: Run, out: Float32Array): void {
  const { stride, rows, columns } = source.distribution
  const matrix = matrixOf(source, 0)
  const offset = matrixOffset(source.distribution)
  const begin = Math.max(0, Math.ceil((first - offset) / stride))
  for (let i = begin; i < rows * columns && offset + i * stride < first + count; i++) {
    out[offset + i * stride - first] = matrix[i]!
  }
}

/** Milliseconds of work between two looks at the abort signal and the event loop. */
const TURN_AFTER = 50

/**
 * max |Q^T Q / gain^2 - I| of a tensor's matrices; NaN where an element off a delta-orthogonal's centre is not 0. Stops
 * with the signal's reason.
 */
export async function elementsError(
  distribution: DistributionOf<'orthogonal'>,
  elements: Float32Array,
  signal?: AbortSignal,
): Promise<number> {
  const { rows, columns, batch, gain, field, stride } = distribution
  let matrices = elements
  if (field > 1) {
    const offset = matrixOffset(distribution)
    matrices = new Float32Array(rows * columns)
    for (let i = 0; i < matrices.length; i++) matrices[i] = elements[offset + i * stride]!
    const count = (values: Float32Array): number => values.reduce((n, x) => n + (x === 0 ? 0 : 1), 0)
    if (count(elements) !== count(matrices)) return Number.NaN
  }
  let largest = 0
  let turned = performance.now()
  for (const error of orthonormalitySteps(matrices, rows, columns, batch, gain)) {
    largest = error
    if (performance.now() - turned < TURN_AFTER) continue
    await eventLoopTurn()
    signal?.throwIfAborted()
    turned = performance.now()
  }
  return largest
}

/** The same for the matrices [first, end), which are made again. */
export function matricesError(source: OrthogonalSource, first: number, end: number): number {
  const { rows, columns, gain } = source.distribution
  let orthogonalityError = 0
  for (let index = first; index < end; index++) {
    orthogonalityError = Math.max(
      orthogonalityError,
      orthonormalityError(matrixOf(source, index), rows, columns, 1, gain),
    )
  }
  return orthogonalityError
}
