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
  generatorSource: GeneratorSource,
): GeneratorDraw[] {
  const count = rows * columns
  const matrices = Array.from({ length: batch }, (_, index) => index)
  if (generatorSource.generator === 'torch-cpu' || generatorSource.generator === 'torch-cuda') {
    let call: TorchCall =
      generatorSource.generator === 'torch-cpu'
        ? { generatorSource: { ...generatorSource, draw: 'normal', count } }
        : { generatorSource, count }
    return matrices.map(() => {
      const draw = { distribution: UNIT, generatorSource: call.generatorSource }
      call = nextCall(call, 'normal')
      return draw
    })
  }
  return matrices.map((index) => ({
    distribution: UNIT,
    generatorSource: keyedOrigin(generatorSource, batch === 1 ? undefined : index, count),
  }))
}

function keyedOrigin(
  generatorSource: Exclude<GeneratorSource, TorchCall['generatorSource']>,
  index: number | undefined,
  count: number,
): GeneratorSource {
  if (generatorSource.generator === 'torch-stateless')
    return index === undefined ? generatorSource : statelessFoldIn(generatorSource, index)
  return {
    ...generatorSource,
    key: index === undefined ? generatorSource.key : jaxFoldIn(generatorSource.key, index),
    count,
  }
}

/** Whether the draws make a wide matrix's transpose: JAX draws the longer side as rows. */
export const drawsTransposed = (
  { rows, columns }: DistributionOf<'orthogonal'>,
  generatorSource: GeneratorSource | undefined,
): boolean => rows < columns && (generatorSource?.generator === 'jax' || generatorSource?.generator === 'jax-legacy')
