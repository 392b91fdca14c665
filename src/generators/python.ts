import { show, WeightInitError } from '../errors.js'
import type { InitializationManifest } from '../manifest.js'
import { fnv1a64 } from '../random/keys.js'

type Entry = InitializationManifest['parameters'][number]

/**
 * A Python program that makes the weights of a manifest in the library whose generator was used, as a dictionary
 * `weights` of tensors or arrays by name. docs/compatibility.md says how close they are.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for 'philox', which no Python library has
 */
export function pythonSnippet(manifest: InitializationManifest): string {
  const generator = manifest.generatorSettings?.name ?? manifest.generator
  const seed = BigInt(manifest.seed)
  const part = manifest.parameters.find((entry) => entry.part !== undefined)
  if (part !== undefined) {
    throw new WeightInitError(
      'UNSUPPORTED_GENERATOR',
      `pythonSnippet: parameter ${show(part.name)} is a part (slice or shard); take the manifest of the whole model.`,
    )
  }
  switch (generator) {
    case 'torch-cpu':
    case 'torch-cuda':
      return torchProgram(manifest, seed, generator)
    case 'torch-stateless':
      return statelessProgram(manifest, seed)
    case 'jax':
    case 'jax-legacy':
      return jaxProgram(manifest, seed, generator)
    default:
      throw new WeightInitError(
        'UNSUPPORTED_GENERATOR',
        `pythonSnippet: generator ${show(manifest.generator)} has no counterpart in a Python library; ` +
          "initialise with generator 'torch-cpu', 'torch-cuda', 'torch-stateless', 'jax' or 'jax-legacy'.",
      )
  }
}

const text = (name: string): string => JSON.stringify(name)
const tuple = (shape: readonly number[]): string => `(${shape.map((n) => `${n},`).join(' ')})`
const set = (name: string, value: string): string => `weights[${text(name)}] = ${value}`

function torchProgram(manifest: InitializationManifest, seed: bigint, generator: 'torch-cpu' | 'torch-cuda'): string {
  const cuda = generator === 'torch-cuda'
  const settings = manifest.generatorSettings
  const threads = settings?.name === 'torch-cuda' ? settings.threads : null
  return [
    'import torch',
    '',
    ...(cuda
      ? [`# For a GPU that holds ${threads ?? 'any number of'} threads: SMs * max threads per SM, in blocks of 256.`]
      : ['# x86-64 Linux, AVX2. Float32 draws, in this order; narrower dtypes are rounded afterwards.']),
    `torch.manual_seed(${BigInt.asUintN(64, seed)})`,
    'weights = {}',
    ...manifest.parameters.map((entry) => set(entry.name, torchValue(entry, cuda ? ', device="cuda"' : ''))),
    '',
  ].join('\n')
}

function torchValue(entry: Entry, device: string): string {
  const { shape, dtype, distribution, source, tiedTo } = entry
  if (tiedTo !== undefined) return `weights[${text(tiedTo)}]`
  const empty = `torch.empty(${tuple(shape)}${device})`
  const cast = dtype === 'float32' ? '' : `.to(torch.${dtype})`
  if (distribution.kind === 'uniform') return `${empty}.uniform_(${distribution.low}, ${distribution.high})${cast}`
  if (distribution.kind === 'normal') return `${empty}.normal_(${distribution.mean}, ${distribution.std})${cast}`
  if (distribution.kind !== 'constant') return unsupported(entry)
  // A law without spread: a constant, but PyTorch draws for it, on CUDA as much for either law.
  if (source !== undefined && 'draw' in source && source.draw === 'normal') {
    return `${empty}.normal_(${distribution.value}, 0.0)${cast}`
  }
  if (source?.generator === 'torch-cpu' || source?.generator === 'torch-cuda')
    return `${empty}.uniform_(${distribution.value}, ${distribution.value})${cast}`
  return `torch.full(${tuple(shape)}, ${distribution.value}, dtype=torch.${dtype}${device})`
}

function statelessProgram(manifest: InitializationManifest, seed: bigint): string {
  return [
    'import torch',
    'import torch.func._random as random  # experimental, PyTorch 2.12 and later',
    '',
    '# The key of a parameter: the FNV-1a 64 hash of its name, as an int64, folded into the key of the seed.',
    `key = random.key(${BigInt.asUintN(64, seed)})`,
    'weights = {}',
    ...manifest.parameters.map((entry) => {
      const { name, shape, dtype, distribution, tiedTo } = entry
      if (tiedTo !== undefined || distribution.kind === 'constant') return set(name, torchValue(entry, ''))
      const call =
        distribution.kind === 'uniform'
          ? `uniform(%, ${tuple(shape)}, low=${distribution.low}, high=${distribution.high})`
          : distribution.kind === 'normal'
            ? `normal(%, ${tuple(shape)}, mean=${distribution.mean}, std=${distribution.std})`
            : unsupported(entry)
      const cast = dtype === 'float32' ? '' : `.to(torch.${dtype})`
      return set(name, `random.${call.replace('%', `random.fold_in(key, ${BigInt.asIntN(64, fnv1a64(name))})`)}${cast}`)
    }),
    '',
  ].join('\n')
}

function jaxProgram(manifest: InitializationManifest, seed: bigint, generator: 'jax' | 'jax-legacy'): string {
  const settings = manifest.generatorSettings
  const given = settings !== undefined && 'keys' in settings ? settings.keys : {}
  return [
    'import zlib',
    'import jax',
    'import jax.numpy as jnp',
    'import numpy as np',
    '',
    `jax.config.update("jax_threefry_partitionable", ${generator === 'jax' ? 'True' : 'False'})`,
    `root = jax.random.key(np.uint32(${BigInt.asUintN(32, seed)}))`,
    'weights = {}',
    '',
    'def key(name):  # the CRC-32 of a name, folded into the key of the seed',
    '    return jax.random.fold_in(root, np.uint32(zlib.crc32(name.encode())))',
    '',
    ...manifest.parameters.map((entry) => {
      const { name, shape, dtype, distribution, tiedTo } = entry
      if (tiedTo !== undefined) return set(name, `weights[${text(tiedTo)}]`)
      if (distribution.kind === 'constant') {
        return set(name, `jnp.full(${tuple(shape)}, ${distribution.value}, "${dtype}")`)
      }
      const own = Object.hasOwn(given, name) ? given[name] : undefined
      const key =
        own === undefined
          ? `key(${text(name)})`
          : `jax.random.wrap_key_data(np.array([${own[0]}, ${own[1]}], np.uint32))`
      const cast = dtype === 'float32' ? '' : `.astype("${dtype}")`
      const value = jaxValue(entry, `${key}, ${tuple(shape)}`)
      return set(name, cast === '' ? value : `(${value})${cast}`)
    }),
    '',
  ].join('\n')
}

function jaxValue(entry: Entry, call: string): string {
  const law = entry.distribution
  if (law.kind === 'normal') {
    const value = `jax.random.normal(${call}) * np.float32(${law.std})`
    return law.mean === 0 ? value : `${value} + np.float32(${law.mean})`
  }
  if (law.kind !== 'uniform') return unsupported(entry)
  // (-1, 1) is exact, and so is one product: no build of XLA can differ.
  if (law.low === -law.high) return `jax.random.uniform(${call}, minval=-1.0, maxval=1.0) * np.float32(${law.high})`
  return `jax.random.uniform(${call}, minval=${law.low}, maxval=${law.high})`
}

/** The other library has no single call that gives these elements. */
function unsupported({ name, distribution }: Entry): never {
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `Parameter ${show(name)}: a ${distribution.kind} law has no equal in the Python program. Leave it out with skip.`,
  )
}
