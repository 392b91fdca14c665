import type { GeneratorDraw } from '../ir/generator.js'
import { samplerOf } from './samplers.js'

/**
 * Elements [first, first + count) of a parameter drawn by another library's generator, as float32, in a new array: what
 * the GPU writes, bit for bit.
 */
export function sampleGenerator(
  { distribution, generatorSource }: GeneratorDraw,
  first: number,
  count: number,
): Float32Array {
  return samplerOf(generatorSource).sample(distribution, generatorSource, first, count)
}

/**
 * The draw that makes a distribution's elements: itself, but a truncated normal from which PyTorch cannot reject anything
 * is a normal one, whose words the GPU takes as they are.
 */
export function plainDraw({ distribution, generatorSource }: GeneratorDraw): GeneratorDraw {
  const simpler = samplerOf(generatorSource).simplify?.(distribution, generatorSource)
  return { distribution: simpler ?? distribution, generatorSource }
}
