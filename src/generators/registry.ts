import type { GeneratorName, LibraryGeneratorName } from '../ir/generator.js'
import { jaxGenerator, jaxLegacyGenerator } from './jax.js'
import type { GeneratorDefinition } from './kind.js'
import { torchCpuGenerator } from './torch-cpu.js'
import { torchCudaGenerator } from './torch-cuda.js'
import { torchStatelessGenerator } from './torch-stateless.js'

const generators: {
  readonly [N in GeneratorName]: N extends LibraryGeneratorName ? GeneratorDefinition<N> : undefined
} = {
  // The package's own generator has no settings, and the words of a parameter come from the parameter's stream.
  philox: undefined,
  'torch-cpu': torchCpuGenerator,
  'torch-cuda': torchCudaGenerator,
  'torch-stateless': torchStatelessGenerator,
  jax: jaxGenerator,
  'jax-legacy': jaxLegacyGenerator,
}

/** The names of all generators, for error messages. */
export const generatorNames: readonly GeneratorName[] = /* @__PURE__ */ Object.keys(generators) as GeneratorName[]

/** The definition of another library's generator; undefined for 'philox', the package's own. */
export function generatorNamed<N extends LibraryGeneratorName>(name: N): GeneratorDefinition<N>
export function generatorNamed(name: GeneratorName): GeneratorDefinition<LibraryGeneratorName> | undefined
// The table pairs each name with the definition of that name, which TypeScript cannot infer for a lookup by a union.
export function generatorNamed(name: GeneratorName): GeneratorDefinition<LibraryGeneratorName> | undefined {
  return generators[name] as GeneratorDefinition<LibraryGeneratorName> | undefined
}
