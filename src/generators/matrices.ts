// The normals that an orthogonal matrix starts from.

import type { DistributionOf } from '../ir/distribution.js'
import type { GeneratorDraw, GeneratorSource, SimpleDistribution } from '../ir/generator.js'
import { samplerOf } from './samplers.js'

const UNIT: SimpleDistribution = { kind: 'normal', mean: 0, std: 1 }

/**
 * The N(0, 1) draws of an orthogonal distribution, one for each of its matrices: in PyTorch a call of normal_ each, in order; where
 * keys are explicit the parameter's own key for a single matrix, and fold_in(key, index) for each of several.
 */
export function matrixDraws(
  distribution: DistributionOf<'orthogonal'>,
  generatorSource: GeneratorSource,
): GeneratorDraw[] {
  const sources = samplerOf(generatorSource).matrixSources(distribution, generatorSource)
  return sources.map((source) => ({ distribution: UNIT, generatorSource: source }))
}

/** Whether the draws make a wide matrix's transpose. */
export const drawsTransposed = (
  { rows, columns }: DistributionOf<'orthogonal'>,
  generatorSource: GeneratorSource | undefined,
): boolean => rows < columns && generatorSource !== undefined && samplerOf(generatorSource).drawsWideTransposed === true
