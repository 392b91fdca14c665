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
 * A Python program that makes the weights of a manifest in PyTorch or JAX, whichever library's generator the manifest names.
 * The program fills a dictionary `weights` with tensors or arrays by name. docs/compatibility.md says which values are equal
 * and how close the others are. For a part (slice or shard) the program draws the whole tensor and cuts the part out of it.
 *
 * @example
 * const options = { seed: 42, generator: 'torch-cpu', device: 'cpu' } as const
 * const weights = await initializeModel(linear(784, 256), 'kaiming_uniform', {}, options)
 * console.log(pythonSnippet(weights.manifest()))
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for 'philox', which no Python library has; `INVALID_ARGUMENT` for a
 *   distribution that the library has no call for, and if an empty shard left a parameter out that draws before others
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
