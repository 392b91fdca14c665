import { show, WeightInitError } from '../core/errors.js'
import type { InitializationManifest } from '../plan/manifest.js'
import { jaxProgram } from './python-jax.js'
import { statelessProgram, torchProgram } from './python-torch.js'

/**
 * A Python program that makes the weights of a manifest in the library whose generator was used, as a dictionary
 * `weights` of tensors or arrays by name. docs/compatibility.md says how close they are. A part (slice or shard) is cut out
 * of the whole tensor, which the program draws.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for 'philox', which no Python library has; `INVALID_ARGUMENT` for a distribution that
 * the library has no call for, and where an empty shard left out a parameter that draws before others
 */
export function pythonSnippet(manifest: InitializationManifest): string {
  const generator = manifest.generatorSettings?.name ?? manifest.generator
  switch (generator) {
    case 'torch-cpu':
    case 'torch-cuda':
      return torchProgram(manifest, generator)
    case 'torch-stateless':
      return statelessProgram(manifest)
    case 'jax':
    case 'jax-legacy':
      return jaxProgram(manifest, generator)
    default:
      throw new WeightInitError(
        'UNSUPPORTED_GENERATOR',
        `pythonSnippet: generator ${show(manifest.generator)} has no counterpart in a Python library; ` +
          "initialise with generator 'torch-cpu', 'torch-cuda', 'torch-stateless', 'jax' or 'jax-legacy'.",
      )
  }
}
