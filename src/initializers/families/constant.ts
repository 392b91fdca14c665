import { refuseUnknownKeys } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, orDefault } from '../initializer.js'

export interface ConstantConfig {
  /** Default 0. */
  readonly value?: number
}

/** Every element is `value`. PyTorch's constant_, zeros_ and ones_. Any dtype that can hold the value. */
export class ConstantInitializer extends Initializer {
  readonly name: string = 'constant'
  readonly value: number

  /** @throws WeightInitError `INVALID_CONFIG` for a value that is not a finite number, or an unknown key */
  constructor(config: ConstantConfig = {}) {
    super()
    refuseUnknownKeys(config, ['value'], 'constant config', 'INVALID_CONFIG')
    this.value = finiteNumber(orDefault(config.value, 0), 'value', 'constant')
  }

  get config(): Readonly<Record<string, unknown>> {
    return { value: this.value }
  }

  distribution(): Distribution {
    return { kind: 'constant', value: this.value }
  }
}

export const zeros: ConstantInitializer = /* @__PURE__ */ new ConstantInitializer({ value: 0 })
export const ones: ConstantInitializer = /* @__PURE__ */ new ConstantInitializer({ value: 1 })
/** Zeros; for another value `new ConstantInitializer({ value })`. */
export const constant: ConstantInitializer = /* @__PURE__ */ new ConstantInitializer()
