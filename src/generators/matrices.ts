// The normals from which an orthogonal matrix is made.

import type { DistributionOf } from '../ir/distribution.js'
import type { GeneratorDraw, GeneratorSource, SimpleDistribution } from '../ir/generator.js'
import { samplerOf } from './samplers.js'

const UNIT: SimpleDistribution = { kind: 'normal', mean: 0, std: 1 }

/**
 * The N(0, 1) draws of an orthogonal distribution, one for each of its matrices. PyTorch's sequential generators make one call
 * of normal_ per matrix, in order. Generators with explicit keys use the parameter's key for a single matrix, and
 * fold_in(key, index) for each of several.
 */
export function matrixDraws(
  distribution: DistributionOf<'orthogonal'>,
  generatorSource: GeneratorSource,
): GeneratorDraw[] {
  const sources = samplerOf(generatorSource).matrixSources(distribution, generatorSource)
  return sources.map((source) => ({ distribution: UNIT, generatorSource: source }))
}

/** Whether the draws give the transpose of the matrix, which some generators do if it is wide. */
export const drawsTransposed = (
  { rows, columns }: DistributionOf<'orthogonal'>,
  generatorSource: GeneratorSource | undefined,
): boolean => rows < columns && generatorSource !== undefined && samplerOf(generatorSource).drawsWideTransposed === true
