import { refuse, refuseUnknownKeys, show } from '../core/errors.js'
import type { GeneratorName, GeneratorOption, GeneratorSettings } from '../ir/generator.js'
import { generatorNamed, generatorNames } from './registry.js'

/**
 * Checks the option `generator` and fills in every default.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for an unknown name or setting
 */
export function resolveGenerator(option: GeneratorOption): GeneratorSettings {
  const settings: Readonly<Record<string, unknown>> =
    typeof option === 'object' && option !== null ? { ...option } : { name: option }
  const name = settings.name as GeneratorName
  if (!generatorNames.includes(name)) {
    refuse('UNSUPPORTED_GENERATOR')(`Unknown generator ${show(name)}; known: ${generatorNames.join(', ')}.`)
  }
  const library = generatorNamed(name)
  refuseUnknownKeys(settings, ['name', ...(library?.settings ?? [])], `generator ${name}`)
  return library?.resolve(settings) ?? { name: 'philox' }
}
