import type { Distribution } from '../ir/distribution.js'
import type { FanConvention, Fans } from '../ir/fans.js'
import type { GeneratorName } from '../ir/generator.js'
import type { Parameter } from '../ir/parameter.js'
import { calculateFans } from './fans.js'
import { type InitializerFamily, readConfig } from './schema.js'

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

/** An initializer whose class describes its names and settings: its config, checked and complete, is all its state. */
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

/** A uniform or normal distribution around 0 with this standard deviation. Bound sqrt(3) * std, as PyTorch writes it. */
export function centred(distribution: 'uniform' | 'normal', std: number): Distribution {
  if (distribution === 'normal') return { kind: 'normal', mean: 0, std }
  const bound = Math.sqrt(3) * std
  return { kind: 'uniform', low: -bound, high: bound }
}
