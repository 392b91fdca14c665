import { fillingOf } from '../distributions/registry.js'
import { matrixDraws } from '../generators/matrices.js'
import { plainDraw } from '../generators/sample.js'
import type { Distribution } from '../ir/distribution.js'
import type { GeneratorSource, RandomDistribution } from '../ir/generator.js'
import type { FillJob, FillSource } from '../ir/job.js'
import type { PlannedParameter } from '../ir/plan.js'
import { partGeometry } from '../plan/parts/geometry.js'
import { patchesOfPart } from '../plan/parts/patches.js'
import { high32, low32, type Stream } from '../random/keys.js'

/** The whole of a parameter as one job. */
export function fillJob(parameter: PlannedParameter): FillJob {
  const { name, dtype, elementCount, distribution, stream, generatorSource, part } = parameter
  const filling = fillingOf(distribution, dtype, stream)
  // Another library's generator draws the distribution in its own way.
  const source = generatorSource === undefined ? filling.source : drawnBy(generatorSource, filling.source, distribution)
  const patches = [...filling.patches, ...parameter.patches]
  const geometry = part === undefined ? undefined : partGeometry(part.fullShape, part.start, part.end)
  if (geometry === undefined || geometry.axes.length === 1) {
    return { name, dtype, firstElement: geometry?.firstElement ?? 0, elementCount, source, patches }
  }
  return {
    name,
    dtype,
    firstElement: 0,
    elementCount,
    // A constant's elements are the same wherever they lie.
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

/** float32 elements drawn from a distribution, which are no parameter's. */
export function drawJob(name: string, elementCount: number, distribution: RandomDistribution, stream: Stream): FillJob {
  return { name, dtype: 'float32', firstElement: 0, elementCount, ...fillingOf(distribution, 'float32', stream) }
}

/** The 64-bit Philox counter of the block that holds `element`, as (low, high). */
export function blockCounter(stream: Stream, element: number): readonly [low: number, high: number] {
  const counter = stream.counter + BigInt(Math.floor(element / 4))
  return [low32(counter), high32(counter)]
}

/**
 * The N(0, 1) elements that an orthogonal distribution starts from, matrix after matrix: those of the parameter's own stream, or
 * another library's draws, a job each.
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
