import type { GeneratorName, LibraryGeneratorName } from '../ir/generator.js'
import { jaxGenerator, jaxLegacyGenerator } from './jax.js'
import type { GeneratorDefinition } from './kind.js'
import { torchCpuGenerator } from './torch-cpu.js'
import { torchCudaGenerator } from './torch-cuda.js'
import { torchStatelessGenerator } from './torch-stateless.js'

const generators: {
  readonly [N in GeneratorName]: N extends LibraryGeneratorName ? GeneratorDefinition<N> : undefined
} = {
  // The value contract's own has nothing to set, and every parameter's words come from its own stream.
  philox: undefined,
  'torch-cpu': torchCpuGenerator,
  'torch-cuda': torchCudaGenerator,
  'torch-stateless': torchStatelessGenerator,
  jax: jaxGenerator,
  'jax-legacy': jaxLegacyGenerator,
}

/** Every generator, for error messages. */
export const generatorNames: readonly GeneratorName[] = /* @__PURE__ */ Object.keys(generators) as GeneratorName[]

/** The record of another library's generator; undefined for the value contract's own. */
export function generatorNamed<N extends LibraryGeneratorName>(name: N): GeneratorDefinition<N>
export function generatorNamed(name: GeneratorName): GeneratorDefinition<LibraryGeneratorName> | undefined
// The table pairs each name with its own record; TypeScript cannot follow that through a lookup by a union.
export function generatorNamed(name: GeneratorName): GeneratorDefinition<LibraryGeneratorName> | undefined {
  return generators[name] as GeneratorDefinition<LibraryGeneratorName> | undefined
}
