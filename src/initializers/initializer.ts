import type { Distribution } from '../ir/distribution.js'
import type { FanConvention, Fans } from '../ir/fans.js'
import type { GeneratorName } from '../ir/generator.js'
import type { Parameter } from '../ir/parameter.js'
import { calculateFans } from './fans.js'
import { type InitializerFamily, readConfig } from './schema.js'

/** What an initializer can use. `fans()` throws for a parameter without fans (rank < 2). */
export interface InitializerContext {
  readonly parameter: Parameter
  /** The generator that will draw the values. With JAX's, variances are computed in float32, otherwise in float64. */
  readonly generator: GeneratorName
  fans(): Fans
  /** Another parameter of the model, by its full name. */
  find(name: string): Parameter | undefined
  /** PyTorch's fans of any parameter, from its shape alone. */
  torchFansOf(parameter: Parameter): Fans
}

/** Computes the distribution of a parameter's elements from its shape and other properties. Instances are immutable. */
export abstract class Initializer {
  /** The name in the string API: 'xavier', 'kaiming', ... */
  abstract readonly name: string
  /** The settings, as the string API takes them: `createInitializer(name, config)` makes an equal initializer. */
  abstract readonly config: Readonly<Record<string, unknown>>
  /** Whether it also initialises biases, norms and buffers if it is the initializer of a whole model. */
  readonly appliesToEveryRole: boolean = false
  /** The distribution for one parameter, with numbers in float64. Pure. */
  abstract distribution(context: InitializerContext): Distribution
}

/** An initializer whose class describes its names and settings. Its only state is its config, checked and with defaults. */
export abstract class SchemaInitializer extends Initializer {
  declare readonly name: string
  declare readonly config: Readonly<Record<string, unknown>>

  /** @throws WeightInitError `INVALID_CONFIG` for an unknown key, or a value that the class's settings do not allow */
  constructor(config: unknown) {
    super()
    const { names, settings } = new.target as unknown as InitializerFamily
    this.name = Object.keys(names)[0]!
    this.config = readConfig(this.name, settings, config)
  }
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

/** A uniform or normal distribution around 0 with the standard deviation std. The bound is sqrt(3) * std, as in PyTorch. */
export function centred(distribution: 'uniform' | 'normal', std: number): Distribution {
  if (distribution === 'normal') return { kind: 'normal', mean: 0, std }
  const bound = Math.sqrt(3) * std
  return { kind: 'uniform', low: -bound, high: bound }
}
