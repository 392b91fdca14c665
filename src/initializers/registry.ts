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

type Config = Readonly<Record<string, unknown>>
type Factory = (config: Config) => Initializer

/** Settings that the name itself fixes; giving them again is an error. */
const fixed =
  (create: Factory, name: string, preset: Config): Factory =>
  (config) => {
    for (const key of Object.keys(preset)) {
      if (Object.hasOwn(config, key)) {
        throw new WeightInitError('INVALID_CONFIG', `${name}: ${key} is part of the name; leave it out of the config.`)
      }
    }
    return create({ ...config, ...preset })
  }

/** Another library's defaults, which the config may override. */
const defaults =
  (create: Factory, preset: Config): Factory =>
  (config) =>
    create({ ...preset, ...config })

const xavier: Factory = (config) => new XavierInitializer(config)
const kaiming: Factory = (config) => new KaimingInitializer(config)
const constant: Factory = (config) => new ConstantInitializer(config)
const uniform: Factory = (config) => new UniformInitializer(config)
const normal: Factory = (config) => new NormalInitializer(config)
const eye: Factory = (config) => new EyeInitializer(config)
const varianceScaling: Factory = (config) => new VarianceScalingInitializer(config)
const sigma: Factory = (config) => new TruncatedNormalSigmaInitializer(config)
const scaled = (name: string, scale: number, mode: string, distribution: string): Factory =>
  fixed(varianceScaling, name, { scale, mode, distribution })

/**
 * Every string name, with what makes it. Names are PyTorch's, JAX's and Keras's own; where two libraries mean different
 * things by one name, the table in docs/initializers.md says whose it is.
 */
const factories: Readonly<Record<string, Factory>> = /* @__PURE__ */ (() => ({
  // PyTorch
  xavier,
  xavier_uniform: fixed(xavier, 'xavier_uniform', { distribution: 'uniform' }),
  xavier_normal: fixed(xavier, 'xavier_normal', { distribution: 'normal' }),
  kaiming,
  kaiming_uniform: fixed(kaiming, 'kaiming_uniform', { distribution: 'uniform' }),
  kaiming_normal: fixed(kaiming, 'kaiming_normal', { distribution: 'normal' }),
  uniform,
  normal,
  trunc_normal: (config) => new TruncatedNormalInitializer(config),
  constant,
  zeros: fixed(constant, 'zeros', { value: 0 }),
  ones: fixed(constant, 'ones', { value: 1 }),
  eye,
  dirac: (config) => new DiracInitializer(config),
  sparse: (config) => new SparseInitializer(config as never),
  orthogonal: (config) => new OrthogonalInitializer(config),
  delta_orthogonal: (config) => new DeltaOrthogonalInitializer(config),
  torch_default: (config) => new TorchDefaultInitializer(config as never),
  // JAX and Keras
  truncated_normal: sigma,
  variance_scaling: varianceScaling,
  lecun_normal: scaled('lecun_normal', 1, 'fan_in', 'truncated_normal'),
  lecun_uniform: scaled('lecun_uniform', 1, 'fan_in', 'uniform'),
  glorot_normal: scaled('glorot_normal', 1, 'fan_avg', 'truncated_normal'),
  glorot_uniform: scaled('glorot_uniform', 1, 'fan_avg', 'uniform'),
  he_normal: scaled('he_normal', 2, 'fan_in', 'truncated_normal'),
  he_uniform: scaled('he_uniform', 2, 'fan_in', 'uniform'),
  identity: eye,
  // Keras's class names, with Keras's defaults
  random_normal: defaults(normal, { std: 0.05 }),
  random_uniform: defaults(uniform, { a: -0.05, b: 0.05 }),
  // Papers
  siren: (config) => new SirenInitializer(config),
  sinusoidal: (config) => new SinusoidalInitializer(config),
}))()

/** The names that `initializeModel` takes as a string. */
export const initializerNames: readonly string[] = /* @__PURE__ */ Object.keys(factories)

/**
 * An initializer from its name and config. camelCase, Keras's CamelCase and PyTorch's trailing underscore are understood:
 * 'xavierUniform', 'XavierUniform', 'xavier_uniform' and 'xavier_uniform_' are the same. So are Keras's second names of
 * classes, 'IdentityInitializer' and 'OrthogonalInitializer'.
 * @throws WeightInitError `UNKNOWN_INITIALIZER` listing the names, or `INVALID_CONFIG`
 */
export function createInitializer(name: string, config: Config = {}): Initializer {
  const short = typeof name === 'string' ? name.replace(/^(Identity|Orthogonal|STFT)Initializer$/, '$1') : ''
  const canonical = short
    .replace(/[A-Z]/g, (letter, at) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`)
    .replace(/_$/, '')
  const factory = Object.hasOwn(factories, canonical) ? factories[canonical] : undefined
  if (factory === undefined) {
    const why = /^stft$/i.test(short)
      ? 'STFT is a fixed transform matrix, no initialiser of weights to be learnt, and is left out.'
      : `known: ${initializerNames.join(', ')}.`
    throw new WeightInitError('UNKNOWN_INITIALIZER', `Unknown initializer ${show(name)}; ${why}`)
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new WeightInitError('INVALID_CONFIG', `${canonical}: config must be an object, but found ${show(config)}.`)
  }
  return factory(config)
}
