import type { GeneratorDraw, SimpleLaw } from '../ir/generator.js'
import { type JaxLaw, sampleJax } from './jax/jax.js'
import { sampleCall, type TorchCall } from './torch/calls.js'
import { sampleSparse } from './torch/sparse.js'
import { sampleStateless } from './torch/stateless.js'
import { isUntruncated, sampleTruncated } from './torch/truncated.js'

/**
 * Elements [first, first + count) of a parameter drawn by another library's generator, as float32, in a new array: what
 * the GPU writes, bit for bit.
 */
export function sampleGenerator({ law, origin }: GeneratorDraw, first: number, count: number): Float32Array {
  switch (origin.generator) {
    case 'torch-cpu':
    case 'torch-cuda': {
      const call = callOf(origin)
      if (law.kind === 'truncated-normal') return sampleTruncated(law, call, first, count)
      if (law.kind === 'sparse') return sampleSparse(law, call, first, count)
      return sampleCall(law, call, first, count)
    }
    case 'torch-stateless':
      return sampleStateless({ law: law as SimpleLaw, origin }, first, count)
    default:
      return sampleJax({ law: law as JaxLaw, origin }, first, count)
  }
}

function callOf(origin: TorchCall['origin']): TorchCall {
  return origin.generator === 'torch-cpu' ? { origin } : { origin, count: origin.count ?? 0 }
}

/**
 * The draw that makes a law's elements: itself, but a truncated normal from which PyTorch cannot reject anything is a
 * normal one, whose words the GPU takes as they are.
 */
export function plainDraw({ law, origin }: GeneratorDraw): GeneratorDraw {
  if (law.kind !== 'truncated-normal' || (origin.generator !== 'torch-cpu' && origin.generator !== 'torch-cuda')) {
    return { law, origin }
  }
  const inverted = 'truncation' in origin && origin.truncation === 'inversion'
  if (inverted || !isUntruncated(law, callOf(origin))) return { law, origin }
  return { law: { kind: 'normal', mean: law.mean, std: law.std }, origin }
}
