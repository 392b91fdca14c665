import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { GeneratorName, GeneratorOption, GeneratorSettings, JaxKey } from '../ir/generator.js'
import { checkJaxKey } from './jax/jax-api.js'
import { threadsOfGpu } from './torch/cuda-gpus.js'

/** Settings that each generator takes beside its name. */
const knownKeys: Readonly<Record<GeneratorName, readonly string[]>> = {
  philox: [],
  'torch-cpu': ['variant', 'truncation'],
  'torch-cuda': ['threads', 'gpu'],
  'torch-stateless': [],
  jax: ['keys'],
  'jax-legacy': ['keys'],
}

export const generatorNames: readonly GeneratorName[] = /* @__PURE__ */ Object.keys(knownKeys) as GeneratorName[]

/**
 * Checks the option `generator` and fills in every default.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for an unknown name or setting
 */
export function resolveGenerator(option: GeneratorOption): GeneratorSettings {
  const settings: Readonly<Record<string, unknown>> =
    typeof option === 'object' && option !== null ? { ...option } : { name: option }
  const name = settings.name as GeneratorName
  const fail = (message: string): never => {
    throw new WeightInitError('UNSUPPORTED_GENERATOR', message)
  }
  if (!generatorNames.includes(name)) {
    fail(`Unknown generator ${show(name)}; known: ${generatorNames.join(', ')}.`)
  }
  refuseUnknownKeys(settings, ['name', ...knownKeys[name]], `generator ${name}`)
  switch (name) {
    case 'torch-cpu': {
      const { variant = 'fma', truncation = 'rejection' } = settings
      if (variant !== 'fma' && variant !== 'no-contraction') {
        return fail(`generator torch-cpu: variant must be 'fma' or 'no-contraction', but found ${show(variant)}.`)
      }
      if (truncation !== 'rejection' && truncation !== 'inversion') {
        return fail(
          `generator torch-cpu: truncation must be 'rejection' or 'inversion', but found ${show(truncation)}.`,
        )
      }
      return { name, variant, truncation }
    }
    case 'torch-cuda': {
      const { threads, gpu } = settings
      if (threads !== undefined && gpu !== undefined) {
        fail('generator torch-cuda: give threads or gpu, not both.')
      }
      if (gpu !== undefined) return { name, layout: 'torch-cuda-v1', threads: threadsOfGpu(gpu as string) }
      if (threads === undefined || threads === null) return { name, layout: 'torch-cuda-v1', threads: null }
      if (!Number.isSafeInteger(threads) || (threads as number) <= 0 || (threads as number) % 256 !== 0) {
        fail(
          `generator torch-cuda: threads must be a positive multiple of 256 (256 * SMs * floor(max threads per SM / 256)), ` +
            `but found ${show(threads)}.`,
        )
      }
      if ((threads as number) > 2 ** 30) fail(`generator torch-cuda: threads ${show(threads)} is more than 2^30.`)
      return { name, layout: 'torch-cuda-v1', threads: threads as number }
    }
    case 'jax':
    case 'jax-legacy': {
      const given = settings.keys ?? {}
      if (typeof given !== 'object') fail(`generator ${name}: keys must map names to keys, but found ${show(given)}.`)
      const keys: Record<string, JaxKey> = {}
      for (const [parameter, key] of Object.entries(given as object)) {
        keys[parameter] = checkJaxKey(key, `generator ${name}: keys[${show(parameter)}]`)
      }
      return { name, keys }
    }
    default:
      return { name }
  }
}
