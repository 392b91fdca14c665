import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { distributionKinds, isDistribution } from '../distributions/registry.js'
import type { CustomSampler, Distribution, SamplerParameterType } from '../ir/distribution.js'
import { Initializer, type InitializerContext } from './initializer.js'

export interface InitializerDefinition {
  /** The name that plans and manifests show. */
  readonly name: string
  /**
   * Returns the distribution for a parameter, given its shape, fans, role and name. It must be pure, because it may be called
   * more than once.
   */
  distribution(context: InitializerContext): Distribution
}

/**
 * Makes an initializer from a function that takes a parameter and returns one of the package's distributions.
 *
 * @example
 * const siren = defineInitializer({
 *   name: 'my_siren',
 *   distribution({ fans }) {
 *     const bound = Math.sqrt(6 / fans().fanIn) / 30
 *     return { kind: 'uniform', low: -bound, high: bound }
 *   },
 * })
 * @throws WeightInitError `INVALID_ARGUMENT` for a definition without name or function; `INVALID_CONFIG`, when it is used, if
 *   the function does not return a distribution
 */
export function defineInitializer(definition: InitializerDefinition): Initializer {
  checkDefinition(definition, ['name', 'distribution'], 'defineInitializer', 'distribution')
  const { name, distribution } = definition
  return new DefinedInitializer(name, {}, (context) => {
    const returned: unknown = distribution(context)
    if (isDistribution(returned)) return returned
    throw new WeightInitError(
      'INVALID_CONFIG',
      `Initializer ${show(name)} returned ${show(returned)} for ${show(context.parameter.name)}, which is not a distribution ` +
        `{ kind, ... }; known kinds: ${distributionKinds.join(', ')}.`,
    )
  })
}

export type SamplerParameters<T extends string> = Readonly<Record<T, number>>

export interface SamplerDefinition<T extends string> {
  /** A WGSL identifier: a letter, followed by letters, digits or underscores. */
  readonly name: string
  /**
   * WGSL with `fn sample(word: u32, params: Params, zero: u32) -> f32`. `word` is 32 random bits of the element, `Params` is a
   * struct made from `parameters`, and `zero` is a 0 that the compiler does not know, for `rounded` (import
   * "random/rounded"). The code may import the package's modules with a line such as `//#import "random/logarithm"`.
   */
  readonly wgsl: string
  /** At most twelve parameters with their WGSL types. Default: no parameters. */
  readonly parameters?: Readonly<Record<T, SamplerParameterType>>
  /** The CPU reference in TypeScript: the same operations, each rounded with Math.fround. verify() compares the two. */
  sample(word: number, parameters: SamplerParameters<T>): number
  /** The distribution's mean and standard deviation, and its bounds if it has any. */
  moments(parameters: SamplerParameters<T>): {
    readonly mean: number
    readonly std: number
    readonly min?: number
    readonly max?: number
  }
}

/** Makes an initializer from a sampler and its parameters, which may depend on the tensor. */
export type SamplerFactory<T extends string> = (
  parameters?: SamplerParameters<T> | ((context: InitializerContext) => SamplerParameters<T>),
) => Initializer

/**
 * Defines a sampler of your own: a WGSL function that is linked into the fill shader, and its CPU reference in TypeScript. As
 * with all other distributions, a value depends only on (seed, name, element), and every floating-point dtype works.
 * `verify()` compares the shader with the CPU reference bit by bit.
 *
 * The returned function takes the sampler's parameters, or a function that computes them from the tensor, and makes an
 * initializer: `laplace({ scale: 0.02 })`.
 *
 * @example
 * const dyadic = defineSampler({
 *   name: 'dyadic_uniform',
 *   wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return f32(word >> 8u) * 0x1p-24f; }',
 *   sample: (word) => (word >>> 8) * 2 ** -24,
 *   moments: () => ({ mean: 0.5, std: Math.sqrt(1 / 12), min: 0, max: 1 }),
 * })
 * const weights = await initializeModel(linear(784, 256), dyadic(), { seed: 42 })
 * @throws WeightInitError `INVALID_ARGUMENT` for an incomplete or invalid definition; `SHADER`, when it is first used, for
 *   WGSL that does not compile: the message shows the line of your code
 */
export function defineSampler<T extends string = never>(definition: SamplerDefinition<T>): SamplerFactory<T> {
  checkDefinition(definition, ['name', 'wgsl', 'parameters', 'sample', 'moments'], 'defineSampler', 'sample', 'moments')
  const { name, wgsl, sample, moments } = definition
  const types = (definition.parameters ?? {}) as Readonly<Record<string, SamplerParameterType>>
  const fail = (message: string): never => {
    throw new WeightInitError('INVALID_ARGUMENT', `defineSampler ${show(name)}: ${message}`)
  }
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
    fail('name must be a WGSL identifier: a letter, then letters, digits, underscores.')
  if (typeof wgsl !== 'string' || !/\bfn\s+sample\s*\(/.test(wgsl)) {
    fail('wgsl must define `fn sample(word: u32, params: Params, zero: u32) -> f32`.')
  }
  const entries = Object.entries(types)
  if (entries.length > 12) fail(`a sampler takes at most 12 parameters, but found ${entries.length}.`)
  for (const [key, type] of entries) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key)) fail(`parameter ${show(key)} is not a WGSL identifier.`)
    if (type !== 'f32' && type !== 'u32' && type !== 'i32')
      fail(`parameter ${key} must be 'f32', 'u32' or 'i32', but found ${show(type)}.`)
  }
  const sampler: CustomSampler = {
    name,
    wgsl,
    parameters: types,
    sample: sample as CustomSampler['sample'],
    moments: moments as CustomSampler['moments'],
  }
  return (parameters = {} as SamplerParameters<T>) => {
    const config = typeof parameters === 'function' ? {} : { ...parameters }
    return new DefinedInitializer(name, config, (context) => ({
      kind: 'custom',
      sampler,
      parameters: typeof parameters === 'function' ? parameters(context) : parameters,
    }))
  }
}

class DefinedInitializer extends Initializer {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly #distribution: (context: InitializerContext) => Distribution

  constructor(
    name: string,
    config: Readonly<Record<string, unknown>>,
    distribution: (context: InitializerContext) => Distribution,
  ) {
    super()
    this.name = name
    this.config = config
    this.#distribution = distribution
  }

  distribution(context: InitializerContext): Distribution {
    return this.#distribution(context)
  }
}

function checkDefinition(definition: unknown, keys: readonly string[], what: string, ...functions: string[]): void {
  if (typeof definition !== 'object' || definition === null) {
    throw new WeightInitError('INVALID_ARGUMENT', `${what} takes a definition object, but found ${show(definition)}.`)
  }
  refuseUnknownKeys(definition, keys, what)
  const given = definition as Record<string, unknown>
  if (typeof given.name !== 'string' || given.name.length === 0) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `${what} needs a name, a non-empty string, but found ${show(given.name)}.`,
    )
  }
  for (const key of functions) {
    if (typeof given[key] !== 'function') {
      throw new WeightInitError(
        'INVALID_ARGUMENT',
        `${what} ${show(given.name)}: ${key} must be a function, but found ${show(given[key])}.`,
      )
    }
  }
}
