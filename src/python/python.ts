import { show, WeightInitError } from '../core/errors.js'
import type { GeneratorName } from '../ir/generator.js'
import type { InitializationManifest } from '../plan/manifest/types.js'
import { jaxProgram } from './python-jax.js'
import { statelessProgram, torchProgram } from './python-torch.js'

const programs: Readonly<Record<GeneratorName, ((manifest: InitializationManifest) => string) | undefined>> = {
  philox: undefined,
  'torch-cpu': (manifest) => torchProgram(manifest, 'torch-cpu'),
  'torch-cuda': (manifest) => torchProgram(manifest, 'torch-cuda'),
  'torch-stateless': statelessProgram,
  jax: (manifest) => jaxProgram(manifest, 'jax'),
  'jax-legacy': (manifest) => jaxProgram(manifest, 'jax-legacy'),
}

/**
 * A Python program that makes the weights of a manifest in the library whose generator was used, as a dictionary
 * `weights` of tensors or arrays by name. docs/compatibility.md says how close they are. A part (slice or shard) is cut out
 * of the whole tensor, which the program draws.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for 'philox', which no Python library has; `INVALID_ARGUMENT` for a distribution that
 * the library has no call for, and where an empty shard left out a parameter that draws before others
 */
export function pythonSnippet(manifest: InitializationManifest): string {
  const generator = manifest.generatorSettings?.name ?? manifest.generator
  const program = Object.hasOwn(programs, generator) ? programs[generator as GeneratorName] : undefined
  if (program !== undefined) return program(manifest)
  throw new WeightInitError(
    'UNSUPPORTED_GENERATOR',
    `pythonSnippet: generator ${show(manifest.generator)} has no counterpart in a Python library; ` +
      "initialise with generator 'torch-cpu', 'torch-cuda', 'torch-stateless', 'jax' or 'jax-legacy'.",
  )
}
