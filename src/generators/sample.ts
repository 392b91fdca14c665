import type { GeneratorDraw, SimpleDistribution } from '../ir/generator.js'
import { type JaxDistribution, sampleJax } from './jax/jax.js'
import { sampleCall, type TorchCall } from './torch/calls.js'
import { sampleSparse } from './torch/sparse.js'
import { sampleStateless } from './torch/stateless.js'
import { isUntruncated, sampleTruncated } from './torch/truncated.js'

/**
 * Elements [first, first + count) of a parameter drawn by another library's generator, as float32, in a new array: what
 * the GPU writes, bit for bit.
 */
export function sampleGenerator(
  { distribution, generatorSource }: GeneratorDraw,
  first: number,
  count: number,
): Float32Array {
  switch (generatorSource.generator) {
    case 'torch-cpu':
    case 'torch-cuda': {
      const call = callOf(generatorSource)
      if (distribution.kind === 'truncated-normal') return sampleTruncated(distribution, call, first, count)
      if (distribution.kind === 'sparse') return sampleSparse(distribution, call, first, count)
      return sampleCall(distribution, call, first, count)
    }
    case 'torch-stateless':
      return sampleStateless({ distribution: distribution as SimpleDistribution, generatorSource }, first, count)
    default:
      return sampleJax({ distribution: distribution as JaxDistribution, generatorSource }, first, count)
  }
}

function callOf(generatorSource: TorchCall['generatorSource']): TorchCall {
  return generatorSource.generator === 'torch-cpu'
    ? { generatorSource }
    : { generatorSource, count: generatorSource.count ?? 0 }
}

/**
 * The draw that makes a distribution's elements: itself, but a truncated normal from which PyTorch cannot reject anything is a
 * normal one, whose words the GPU takes as they are.
 */
export function plainDraw({ distribution, generatorSource }: GeneratorDraw): GeneratorDraw {
  if (
    distribution.kind !== 'truncated-normal' ||
    (generatorSource.generator !== 'torch-cpu' && generatorSource.generator !== 'torch-cuda')
  ) {
    return { distribution, generatorSource }
  }
  const inverted = 'truncation' in generatorSource && generatorSource.truncation === 'inversion'
  if (inverted || !isUntruncated(distribution, callOf(generatorSource))) return { distribution, generatorSource }
  return { distribution: { kind: 'normal', mean: distribution.mean, std: distribution.std }, generatorSource }
}
