import { WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface UniformConfig extends ConfigFrom<typeof UniformInitializer.settings>, InitializerConfig {}

/** U[a, b), as PyTorch's uniform_. With a = b every element is a. Same bits on every device. */
export class UniformInitializer extends SchemaInitializer {
  /** 'random_uniform' is Keras's name and has Keras's defaults. */
  static readonly names = { uniform: {}, random_uniform: {} } as const
  static readonly defaults = { random_uniform: { a: -0.05, b: 0.05 } } as const
  static readonly settings = {
    /** The lower end, included. Default 0. */
    a: { default: 0 },
    /** The upper end, excluded in float32. Rounding to a narrower dtype may give it. Default 1. */
    b: { default: 1 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof UniformInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a > b, ends that are not finite, or an unknown key */
  constructor(config: UniformConfig = {}) {
    super(config)
    const { a, b } = this.config
    if (a > b) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `uniform: uniform_ expects to return a [from, to) range, but found from=${a} > to=${b}. Swap a and b.`,
      )
    }
  }

  distribution(): Distribution {
    return { kind: 'uniform', low: this.config.a, high: this.config.b }
  }
}

/** U[0, 1). */
export const uniform: UniformInitializer = /* @__PURE__ */ new UniformInitializer()

export const uniformHelp: FamilyHelp<typeof UniformInitializer> = {
  family: UniformInitializer,
  summary: 'A uniform distribution.',
  distribution: 'U[a, b)',
  citation: 'torch.nn.init.uniform_; jax.nn.initializers.uniform; keras.initializers.RandomUniform',
  settings: {
    a: 'the lower end, included',
    b: 'the upper end, excluded',
  },
}
