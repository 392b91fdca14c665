import { fillSpecOf } from '../distributions/registry.js'
import { matrixDraws } from '../generators/matrices.js'
import { plainDraw } from '../generators/sample.js'
import type { Distribution } from '../ir/distribution.js'
import type { GeneratorSource, RandomDistribution } from '../ir/generator.js'
import type { FillJob, FillSource, FillSpec } from '../ir/job.js'
import type { PlannedParameter } from '../ir/plan.js'
import { partGeometry } from '../plan/parts/geometry.js'
import { patchesOfPart } from '../plan/parts/patches.js'
import { high32, low32, type Stream } from '../random/keys.js'

/** One job that fills a whole parameter, or the part of it that the plan stores. */
export function fillJob(parameter: PlannedParameter): FillJob {
  const { name, dtype, elementCount, distribution, stream, generatorSource, part } = parameter
  // A recorded program makes all elements of its parameter, padding and constants included.
  const programmed = generatorSource?.generator === 'torch-program'
  const fillSpec: FillSpec = programmed
    ? { source: { kind: 'generator', distribution: distribution as RandomDistribution, generatorSource }, patches: [] }
    : fillSpecOf(distribution, dtype, stream)
  // If another library's generator is used, it replaces the distribution's own source.
  const source =
    generatorSource === undefined || programmed
      ? fillSpec.source
      : drawnBy(generatorSource, fillSpec.source, distribution)
  const patches = [...fillSpec.patches, ...parameter.patches]
  const geometry = part === undefined ? undefined : partGeometry(part.fullShape, part.start, part.end)
  if (geometry === undefined || geometry.axes.length === 1) {
    return { name, dtype, firstElement: geometry?.firstElement ?? 0, elementCount, source, patches }
  }
  return {
    name,
    dtype,
    firstElement: 0,
    elementCount,
    // All elements of a constant are equal, so its job needs no part.
    ...(source.kind === 'constant' ? {} : { part: geometry }),
    source,
    patches: patchesOfPart(patches, geometry, elementCount),
  }
}

function drawnBy(generatorSource: GeneratorSource, own: FillSource, distribution: Distribution): FillSource {
  if (own.kind === 'constant') return own
  if (own.kind === 'orthogonal') return { ...own, generatorSource }
  return { kind: 'generator', ...plainDraw({ distribution: distribution as RandomDistribution, generatorSource }) }
}

/** A job for float32 elements of a distribution that do not belong to a parameter. */
export function drawJob(name: string, elementCount: number, distribution: RandomDistribution, stream: Stream): FillJob {
  return { name, dtype: 'float32', firstElement: 0, elementCount, ...fillSpecOf(distribution, 'float32', stream) }
}

/** The 64-bit Philox counter of the block that contains `element`, as (low, high). */
export function blockCounter(stream: Stream, element: number): readonly [low: number, high: number] {
  const counter = stream.counter + BigInt(Math.floor(element / 4))
  return [low32(counter), high32(counter)]
}

/**
 * Jobs for the N(0, 1) elements from which an orthogonal distribution's matrices are made: one job for all matrices if they
 * come from the parameter's own stream, or one job for each matrix if another library's generator draws them.
 */
export function orthogonalNormals({
  distribution,
  stream,
  generatorSource,
}: FillSource & { kind: 'orthogonal' }): FillJob[] {
  const each = distribution.rows * distribution.columns
  const name = 'orthogonal'
  if (generatorSource === undefined)
    return [drawJob(name, distribution.batch * each, { kind: 'normal', mean: 0, std: 1 }, stream)]
  return matrixDraws(distribution, generatorSource).map((draw): FillJob => {
    const source = { kind: 'generator', ...draw } as const
    return { name, dtype: 'float32', firstElement: 0, elementCount: each, source, patches: [] }
  })
}
