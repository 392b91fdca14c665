import type { Distribution } from '../../ir/distribution.js'
import { SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface ConstantConfig extends ConfigFrom<typeof ConstantInitializer.settings>, InitializerConfig {}

/**
 * Every element is `value`, in any dtype that can represent it; exact up to rounding to the dtype. PyTorch's constant_, zeros_
 * and ones_.
 */
export class ConstantInitializer extends SchemaInitializer {
  static readonly names = { constant: {}, zeros: { value: 0 }, ones: { value: 1 } } as const
  static readonly settings = {
    /** The value of every element. Default 0. */
    value: { default: 0 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof ConstantInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a value that is not a finite number, or an unknown key */
  constructor(config: ConstantConfig = {}) {
    super(config)
  }

  distribution(): Distribution {
    return { kind: 'constant', value: this.config.value }
  }
}

export const zeros: ConstantInitializer = /* @__PURE__ */ new ConstantInitializer({ value: 0 })
export const ones: ConstantInitializer = /* @__PURE__ */ new ConstantInitializer({ value: 1 })
/** Zeros. For another value use `new ConstantInitializer({ value })`. */
export const constant: ConstantInitializer = /* @__PURE__ */ new ConstantInitializer()

export const constantHelp: FamilyHelp<typeof ConstantInitializer> = {
  family: ConstantInitializer,
  summary: 'Every element is the same number.',
  distribution: 'value',
  citation: 'torch.nn.init.constant_, zeros_ and ones_; jax.nn.initializers.constant; keras.initializers.Constant',
  settings: {
    value: 'the number',
  },
}
