import { show, WeightInitError } from '../errors.js'
import { ConstantInitializer } from './constant.js'
import { KaimingInitializer } from './kaiming.js'
import { NormalInitializer } from './normal.js'
import type { Initializer } from './types.js'
import { UniformInitializer } from './uniform.js'
import { XavierInitializer } from './xavier.js'

type Config = Readonly<Record<string, unknown>>
type Factory = (config: Config) => Initializer

const withPreset =
  (create: Factory, name: string, preset: Config): Factory =>
  (config) => {
    for (const key of Object.keys(preset)) {
      if (Object.hasOwn(config, key)) {
        throw new WeightInitError('INVALID_CONFIG', `${name}: ${key} is part of the name; leave it out of the config.`)
      }
    }
    return create({ ...config, ...preset })
  }

const xavier: Factory = (config) => new XavierInitializer(config)
const kaiming: Factory = (config) => new KaimingInitializer(config)
const constant: Factory = (config) => new ConstantInitializer(config)

/** Every string name, with what makes it. A table, so that an unknown name can list the known ones. */
const factories: Readonly<Record<string, () => Factory>> = {
  xavier: () => xavier,
  xavier_uniform: () => withPreset(xavier, 'xavier_uniform', { distribution: 'uniform' }),
  xavier_normal: () => withPreset(xavier, 'xavier_normal', { distribution: 'normal' }),
  kaiming: () => kaiming,
  kaiming_uniform: () => withPreset(kaiming, 'kaiming_uniform', { distribution: 'uniform' }),
  kaiming_normal: () => withPreset(kaiming, 'kaiming_normal', { distribution: 'normal' }),
  uniform: () => (config) => new UniformInitializer(config),
  normal: () => (config) => new NormalInitializer(config),
  constant: () => constant,
  zeros: () => withPreset(constant, 'zeros', { value: 0 }),
  ones: () => withPreset(constant, 'ones', { value: 1 }),
}

/** The names that `initializeModel` takes as a string. */
export const initializerNames: readonly string[] = Object.keys(factories)

/**
 * An initializer from its name and config. camelCase and PyTorch's trailing underscore are understood:
 * 'xavierUniform', 'xavier_uniform' and 'xavier_uniform_' are the same.
 * @throws WeightInitError `UNKNOWN_INITIALIZER` listing the names, or `INVALID_CONFIG`
 */
export function createInitializer(name: string, config: Config = {}): Initializer {
  const canonical =
    typeof name === 'string' ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/_$/, '') : ''
  const factory = Object.hasOwn(factories, canonical) ? factories[canonical] : undefined
  if (factory === undefined) {
    throw new WeightInitError(
      'UNKNOWN_INITIALIZER',
      `Unknown initializer ${show(name)}; known: ${initializerNames.join(', ')}.`,
    )
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new WeightInitError('INVALID_CONFIG', `${canonical}: config must be an object, but found ${show(config)}.`)
  }
  return factory()(config)
}
