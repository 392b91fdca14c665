import { show, WeightInitError } from '../core/errors.js'
import type { Distribution } from '../ir/distribution.js'
import type { FanConvention, Fans } from '../ir/fans.js'
import type { GeneratorName } from '../ir/generator.js'
import type { Parameter } from '../ir/parameter.js'
import { calculateFans } from './fans.js'

/** What an initializer may look at. `fans()` throws for a parameter that has none (rank < 2). */
export interface InitializerContext {
  readonly parameter: Parameter
  /** Whose random numbers are drawn: JAX computes a variance in float32, the others in float64. */
  readonly generator: GeneratorName
  fans(): Fans
  /** Another parameter of the model, by its full name. */
  find(name: string): Parameter | undefined
  /** PyTorch's fans of any parameter, from its shape alone. */
  torchFansOf(parameter: Parameter): Fans
}

/** A rule that turns a parameter's shape into the distribution of its elements. Instances are immutable. */
export abstract class Initializer {
  /** Name as in the string form: 'xavier', 'kaiming', ... */
  abstract readonly name: string
  /** Settings in the string form's config; `createInitializer(name, config)` gives an equal initializer. */
  abstract readonly config: Readonly<Record<string, unknown>>
  /** Whether it also initialises biases, norms and buffers when it is given for a whole model. */
  readonly appliesToEveryRole: boolean = false
  /** The distribution for one parameter, float64. Pure. */
  abstract distribution(context: InitializerContext): Distribution
}

export function contextOf(
  parameter: Parameter,
  model: ReadonlyMap<string, Parameter>,
  convention: FanConvention,
  generator: GeneratorName = 'philox',
): InitializerContext {
  return {
    parameter,
    generator,
    fans: () => calculateFans(parameter, convention),
    find: (name) => model.get(name),
    torchFansOf: (other) => calculateFans(other, 'torch'),
  }
}

/** The default only for a setting that was left out: null is a mistake (JSON's NaN), not an absence. */
export function orDefault<T>(value: T | undefined, fallback: T): T {
  return value === undefined ? fallback : value
}

/** @throws WeightInitError `INVALID_CONFIG` unless `value` is a finite number */
export function finiteNumber(value: unknown, name: string, initializer: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${initializer}: ${name} must be a finite number, but found ${show(value)}.`,
  )
}

/** @throws WeightInitError `INVALID_CONFIG` unless `value` is one of `known` */
export function oneOf<T extends string>(value: unknown, known: readonly T[], name: string, initializer: string): T {
  if ((known as readonly unknown[]).includes(value)) return value as T
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${initializer}: unknown ${name} ${show(value)}; known: ${known.join(', ')}.`,
  )
}

/** A uniform or normal distribution around 0 with this standard deviation. Bound sqrt(3) * std, as PyTorch writes it. */
export function centred(distribution: 'uniform' | 'normal', std: number): Distribution {
  if (distribution === 'normal') return { kind: 'normal', mean: 0, std }
  const bound = Math.sqrt(3) * std
  return { kind: 'uniform', low: -bound, high: bound }
}
