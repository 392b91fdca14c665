import type { GeneratorDraw } from '../ir/generator.js'
import { samplerOf } from './samplers.js'

/**
 * Elements [first, first + count) of a parameter that another library's generator draws, as float32, in a new array. They equal
 * what the GPU writes, bit for bit.
 */
export function sampleGenerator(
  { distribution, generatorSource }: GeneratorDraw,
  first: number,
  count: number,
): Float32Array {
  return samplerOf(generatorSource).sample(distribution, generatorSource, first, count)
}

/**
 * The simplest draw with the same values. A truncated normal of which PyTorch cannot reject any value becomes a normal
 * distribution, which the GPU can draw.
 */
export function plainDraw({ distribution, generatorSource }: GeneratorDraw): GeneratorDraw {
  const simpler = samplerOf(generatorSource).simplify?.(distribution, generatorSource)
  return { distribution: simpler ?? distribution, generatorSource }
}
