import type { Distribution } from '../../ir/distribution.js'
import { SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface NormalConfig extends ConfigFrom<typeof NormalInitializer.settings>, InitializerConfig {}

/** N(mean, std^2), as PyTorch's normal_. Every value lies within 6.77 std of the mean. */
export class NormalInitializer extends SchemaInitializer {
  /** 'random_normal' is Keras's name and has Keras's default std. */
  static readonly names = { normal: {}, random_normal: {} } as const
  static readonly defaults = { random_normal: { std: 0.05 } } as const
  static readonly settings = {
    /** The mean. Default 0. */
    mean: { default: 0 },
    /** The standard deviation, >= 0; with 0 every element is `mean`. Default 1. */
    std: { default: 1, min: 0, refusal: 'normal expects std >= 0.0, but found std %.' },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof NormalInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a std that is negative or not finite, or an unknown key */
  constructor(config: NormalConfig = {}) {
    super(config)
  }

  distribution(): Distribution {
    return { kind: 'normal', mean: this.config.mean, std: this.config.std }
  }
}

/** N(0, 1). */
export const normal: NormalInitializer = /* @__PURE__ */ new NormalInitializer()

export const normalHelp: FamilyHelp<typeof NormalInitializer> = {
  family: NormalInitializer,
  summary: 'A normal distribution.',
  distribution: 'N(mean, std^2)',
  citation: 'torch.nn.init.normal_; jax.nn.initializers.normal; keras.initializers.RandomNormal',
  settings: {
    mean: 'the mean',
    std: 'the standard deviation; 0 is the constant mean',
  },
}
