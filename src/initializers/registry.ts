import { show, WeightInitError } from '../core/errors.js'
import { ConstantInitializer } from './families/constant.js'
import { DiracInitializer, EyeInitializer } from './families/identity.js'
import { KaimingInitializer } from './families/kaiming.js'
import { NormalInitializer } from './families/normal.js'
import { DeltaOrthogonalInitializer, OrthogonalInitializer } from './families/orthogonal.js'
import { SinusoidalInitializer } from './families/sinusoidal.js'
import { SirenInitializer } from './families/siren.js'
import { SparseInitializer } from './families/sparse.js'
import { TorchDefaultInitializer } from './families/torch-default.js'
import { TruncatedNormalInitializer, TruncatedNormalSigmaInitializer } from './families/truncated-normal.js'
import { UniformInitializer } from './families/uniform.js'
import { VarianceScalingInitializer } from './families/variance-scaling.js'
import { XavierInitializer } from './families/xavier.js'
import type { Initializer } from './initializer.js'
import type { InitializerFamily } from './schema.js'

type Config = Readonly<Record<string, unknown>>

interface FamilyClass extends InitializerFamily {
  new (config: never): Initializer
}

/**
 * Every class that a string can name, in the order in which lists show them. test/unit/initializers/schema.test.ts fails if one
 * is missing.
 */
export const families: readonly FamilyClass[] = [
  XavierInitializer,
  KaimingInitializer,
  VarianceScalingInitializer,
  UniformInitializer,
  NormalInitializer,
  TruncatedNormalInitializer,
  TruncatedNormalSigmaInitializer,
  OrthogonalInitializer,
  DeltaOrthogonalInitializer,
  SparseInitializer,
  ConstantInitializer,
  EyeInitializer,
  DiracInitializer,
  SirenInitializer,
  SinusoidalInitializer,
  TorchDefaultInitializer,
]

/** The classes by name in snake_case. */
const byName: ReadonlyMap<string, FamilyClass> = /* @__PURE__ */ (() =>
  new Map(families.flatMap((family) => Object.keys(family.names).map((name) => [name, family]))))()

/** The names that `initializeModel` takes as a string. */
export const initializerNames: readonly string[] = /* @__PURE__ */ (() => [...byName.keys()])()

/** The class of a name in snake_case; undefined for an unknown name, such as one given to `defineInitializer`. */
export function familyOf(name: string): InitializerFamily | undefined {
  return byName.get(name)
}

/**
 * Makes an initializer from a name and a config that may be known only at run time. camelCase, Keras's CamelCase and PyTorch's
 * trailing underscore are accepted: 'xavierUniform', 'XavierUniform', 'xavier_uniform' and 'xavier_uniform_' are the same.
 * Keras's aliases 'IdentityInitializer' and 'OrthogonalInitializer' are accepted too.
 *
 * @example
 * const initializer = createInitializer('kaiming_normal', { mode: 'fan_out' })
 * @throws WeightInitError `UNKNOWN_INITIALIZER`, with a list of the names; `INVALID_CONFIG` for a config that the initializer
 *   does not accept
 */
export function createInitializer(name: string, config: Config = {}): Initializer {
  const short = typeof name === 'string' ? name.replace(/^(Identity|Orthogonal|STFT)Initializer$/, '$1') : ''
  const canonical = short
    .replace(/[A-Z]/g, (letter, at) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`)
    .replace(/_$/, '')
  const Family = byName.get(canonical)
  if (Family === undefined) {
    const why = /^stft$/i.test(short)
      ? 'STFT is a fixed transform matrix, not an initializer of trainable weights, and is not offered.'
      : `known: ${initializerNames.join(', ')}.`
    throw new WeightInitError('UNKNOWN_INITIALIZER', `Unknown initializer ${show(name)}; ${why}`)
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new WeightInitError('INVALID_CONFIG', `${canonical}: config must be an object, but found ${show(config)}.`)
  }
  const fixed = Family.names[canonical]!
  for (const key of Object.keys(fixed)) {
    if (Object.hasOwn(config, key)) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `${canonical}: ${key} is part of the name; leave it out of the config.`,
      )
    }
  }
  return new Family({ ...Family.defaults?.[canonical], ...config, ...fixed } as never)
}
