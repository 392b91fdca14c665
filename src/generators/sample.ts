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
export function sampleGenerator({ distribution, origin }: GeneratorDraw, first: number, count: number): Float32Array {
  switch (origin.generator) {
    case 'torch-cpu':
    case 'torch-cuda': {
      const call = callOf(origin)
      if (distribution.kind === 'truncated-normal') return sampleTruncated(distribution, call, first, count)
      if (distribution.kind === 'sparse') return sampleSparse(distribution, call, first, count)
      return sampleCall(distribution, call, first, count)
    }
    case 'torch-stateless':
      return sampleStateless({ distribution: distribution as SimpleDistribution, origin }, first, count)
    default:
      return sampleJax({ distribution: distribution as JaxDistribution, origin }, first, count)
  }
}

function callOf(origin: TorchCall['origin']): TorchCall {
  return origin.generator === 'torch-cpu' ? { origin } : { origin, count: origin.count ?? 0 }
}

/**
 * The draw that makes a distribution's elements: itself, but a truncated normal from which PyTorch cannot reject anything is a
 * normal one, whose words the GPU takes as they are.
 */
export function plainDraw({ distribution, origin }: GeneratorDraw): GeneratorDraw {
  if (
    distribution.kind !== 'truncated-normal' ||
    (origin.generator !== 'torch-cpu' && origin.generator !== 'torch-cuda')
  ) {
    return { distribution, origin }
  }
  const inverted = 'truncation' in origin && origin.truncation === 'inversion'
  if (inverted || !isUntruncated(distribution, callOf(origin))) return { distribution, origin }
  return { distribution: { kind: 'normal', mean: distribution.mean, std: distribution.std }, origin }
}
