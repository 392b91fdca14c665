import { sampleJax } from './jax.js'
import { sampleStateless } from './stateless.js'
import { sampleTorchCpu } from './torch-cpu.js'
import { sampleTorchCuda } from './torch-cuda.js'
import type { GeneratorDraw } from './types.js'

/**
 * Elements [first, first + count) of a parameter drawn by another library's generator, as float32, in a new array: what
 * the GPU writes, bit for bit.
 */
export function sampleGenerator({ law, origin }: GeneratorDraw, first: number, count: number): Float32Array {
  switch (origin.generator) {
    case 'torch-cpu':
      return sampleTorchCpu({ law, origin }, first, count)
    case 'torch-cuda':
      return sampleTorchCuda({ law, origin }, first, count)
    case 'torch-stateless':
      return sampleStateless({ law, origin }, first, count)
    default:
      return sampleJax({ law, origin }, first, count)
  }
}
