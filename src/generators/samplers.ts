import type { GeneratorSource, SourceName } from '../ir/generator.js'
import { jaxSampler } from './jax.js'
import type { GeneratorSampler } from './kind.js'
import { torchProgramSampler } from './torch/program-engine.js'
import { torchCpuSampler } from './torch-cpu.js'
import { torchCudaSampler } from './torch-cuda.js'
import { torchStatelessSampler } from './torch-stateless.js'

const samplers: { readonly [N in SourceName]: GeneratorSampler<N> } = {
  'torch-cpu': torchCpuSampler,
  'torch-program': torchProgramSampler,
  'torch-cuda': torchCudaSampler,
  'torch-stateless': torchStatelessSampler,
  jax: jaxSampler as GeneratorSampler<'jax'>,
  'jax-legacy': jaxSampler as GeneratorSampler<'jax-legacy'>,
}

/** The sampler for a source. */
// The table pairs each name with the sampler of that name, which TypeScript cannot infer for a lookup by a union.
export const samplerOf = ({ generator }: GeneratorSource): GeneratorSampler<SourceName> =>
  samplers[generator] as GeneratorSampler<SourceName>
