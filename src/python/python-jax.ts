import { isFloatDType } from '../core/dtype.js'
import { jaxBounds } from '../generators/jax/jax.js'
import type { InitializationManifest } from '../plan/manifest/types.js'
import { cut, drawnShape, type Entry, runs, set, text, tied, tuple, unsupported } from './python-text.js'

const place = [
  'def place(values, shape, runs):  # elements first, first + stride, ... of an array of zeros',
  '    flat = jnp.zeros(math.prod(shape), values.dtype)',
  '    for first, stride, count in runs:',
  '        flat = flat.at[first : first + (count - 1) * stride + 1 : stride].set(values[:count])',
  '        values = values[count:]',
  '    return flat.reshape(shape)',
  '',
]

export function jaxProgram(manifest: InitializationManifest, generator: 'jax' | 'jax-legacy'): string {
  const settings = manifest.generatorSettings
  const given = settings !== undefined && 'keys' in settings ? settings.keys : {}
  const lines = manifest.parameters.map((entry) => {
    const { name, dtype, distribution, tiedTo, padding } = entry
    if (tiedTo !== undefined) return set(name, tied(entry, manifest))
    const own = Object.hasOwn(given, name) ? given[name] : undefined
    const key =
      own === undefined ? `key(${text(name)})` : `jax.random.wrap_key_data(np.array([${own[0]}, ${own[1]}], np.uint32))`
    let value = jaxValue(entry, key)
    if (padding !== undefined) {
      const rows = `${padding.first} : ${padding.first + padding.count}`
      value = `(${value}).reshape(-1).at[${rows}].set(0).reshape(${tuple(drawnShape(entry))})`
    }
    const narrow = dtype !== 'float32' && isFloatDType(dtype) && distribution.kind !== 'constant'
    const last = `${cut(entry)}${narrow ? `.astype("${dtype}")` : ''}`
    return set(name, last === '' ? value : `(${value})${last}`)
  })
  const places = lines.some((line) => line.includes('place('))
  return [
    ...(places ? ['import math'] : []),
    'import zlib',
    'import jax',
    'import jax.numpy as jnp',
    'import numpy as np',
    '',
    `jax.config.update("jax_threefry_partitionable", ${generator === 'jax' ? 'True' : 'False'})`,
    `root = jax.random.key(np.uint32(${BigInt.asUintN(32, BigInt(manifest.seed))}))`,
    'weights = {}',
    '',
    'def key(name):  # the CRC-32 of a name, folded into the key of the seed',
    '    return jax.random.fold_in(root, np.uint32(zlib.crc32(name.encode())))',
    '',
    ...(places ? place : []),
    ...lines,
    '',
  ].join('\n')
}

function jaxValue(entry: Entry, key: string): string {
  const { dtype, distribution } = entry
  const shape = tuple(drawnShape(entry))
  const scaled = (unit: string, { mean, std }: { mean: number; std: number }): string => {
    const value = `${unit} * np.float32(${std})`
    return mean === 0 ? value : `${value} + np.float32(${mean})`
  }
  switch (distribution.kind) {
    case 'constant':
      // With its default of 32-bit types, JAX would narrow 64-bit integers. NumPy does not.
      return `${isFloatDType(dtype) ? 'jnp' : 'np'}.full(${shape}, ${distribution.value}, "${dtype}")`
    case 'normal':
      return scaled(`jax.random.normal(${key}, ${shape})`, distribution)
    case 'truncated-normal': {
      const infinite = {
        ...distribution,
        low: distribution.low ?? Number.NEGATIVE_INFINITY,
        high: distribution.high ?? Number.POSITIVE_INFINITY,
      }
      const { lower, upper } = jaxBounds(infinite)
      const bound = (x: number): string => (Number.isFinite(x) ? String(x) : x > 0 ? 'np.inf' : '-np.inf')
      return scaled(`jax.random.truncated_normal(${key}, ${bound(lower)}, ${bound(upper)}, ${shape})`, distribution)
    }
    case 'uniform':
      // Uniforms in (-1, 1) are exact, and one product is rounded once, so all builds of XLA give the same bits.
      if (distribution.low === -distribution.high) {
        return `jax.random.uniform(${key}, ${shape}, minval=-1.0, maxval=1.0) * np.float32(${distribution.high})`
      }
      return `jax.random.uniform(${key}, ${shape}, minval=${distribution.low}, maxval=${distribution.high})`
    case 'orthogonal': {
      const own = distribution.batch === 1 ? key : `jax.random.fold_in(${key}, i)`
      const matrix = `jax.nn.initializers.orthogonal(${distribution.gain})(${own}, (${distribution.rows}, ${distribution.columns}))`
      if (distribution.field > 1) {
        const first =
          distribution.stride === 1
            ? distribution.centre * distribution.rows * distribution.columns
            : distribution.centre
        return `place(${matrix}.reshape(-1), ${shape}, [(${first}, ${distribution.stride}, ${distribution.rows * distribution.columns})])`
      }
      if (distribution.batch === 1) return `${matrix}.reshape(${shape})`
      return `jnp.stack([${matrix} for i in range(${distribution.batch})]).reshape(${shape})`
    }
    case 'diagonal': {
      const count = distribution.runs.reduce((sum, run) => sum + run.count, 0)
      return `place(jnp.full((${count},), ${distribution.value}, "float32"), ${shape}, ${runs(entry)})`
    }
    default:
      return unsupported(entry)
  }
}
