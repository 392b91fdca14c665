// The normals that an orthogonal matrix starts from.

import type { DistributionOf } from '../ir/distribution.js'
import type { GeneratorDraw, GeneratorSource, SimpleDistribution } from '../ir/generator.js'
import { jaxFoldIn } from './jax/jax.js'
import { nextCall, type TorchCall } from './torch/calls.js'
import { statelessFoldIn } from './torch/stateless.js'

const UNIT: SimpleDistribution = { kind: 'normal', mean: 0, std: 1 }

/**
 * The N(0, 1) draws of an orthogonal distribution, one for each of its matrices: in PyTorch a call of normal_ each, in order; where
 * keys are explicit the parameter's own key for a single matrix, and fold_in(key, index) for each of several.
 */
export function matrixDraws(
  { batch, rows, columns }: DistributionOf<'orthogonal'>,
  origin: GeneratorSource,
): GeneratorDraw[] {
  const count = rows * columns
  const matrices = Array.from({ length: batch }, (_, index) => index)
  if (origin.generator === 'torch-cpu' || origin.generator === 'torch-cuda') {
    let call: TorchCall =
      origin.generator === 'torch-cpu' ? { origin: { ...origin, draw: 'normal', count } } : { origin, count }
    return matrices.map(() => {
      const draw = { distribution: UNIT, origin: call.origin }
      call = nextCall(call, 'normal')
      return draw
    })
  }
  return matrices.map((index) => ({
    distribution: UNIT,
    origin: keyedOrigin(origin, batch === 1 ? undefined : index, count),
  }))
}

function keyedOrigin(
  origin: Exclude<GeneratorSource, TorchCall['origin']>,
  index: number | undefined,
  count: number,
): GeneratorSource {
  if (origin.generator === 'torch-stateless') return index === undefined ? origin : statelessFoldIn(origin, index)
  return { ...origin, key: index === undefined ? origin.key : jaxFoldIn(origin.key, index), count }
}

/** Whether the draws make a wide matrix's transpose: JAX draws the longer side as rows. */
export const drawsTransposed = (
  { rows, columns }: DistributionOf<'orthogonal'>,
  origin: GeneratorSource | undefined,
): boolean => rows < columns && (origin?.generator === 'jax' || origin?.generator === 'jax-legacy')
