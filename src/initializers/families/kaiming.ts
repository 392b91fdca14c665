import { refuseUnknownKeys, show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { calculateGain, type Nonlinearity } from '../gain.js'
import { centred, finiteNumber, Initializer, type InitializerContext, oneOf, orDefault } from '../initializer.js'

export type FanMode = 'fan_in' | 'fan_out'

export interface KaimingConfig {
  /** Preserve the variance forward ('fan_in', the default) or backward ('fan_out'). */
  readonly mode?: FanMode
  /** What follows the layer. Default 'relu'. */
  readonly nonlinearity?: Nonlinearity
  /** Negative slope of leaky_relu. Default 0, as PyTorch's kaiming_*_ pass it. */
  readonly a?: number
  /** The gain itself, in place of the nonlinearity's. */
  readonly gain?: number
  /** Default 'normal'. */
  readonly distribution?: 'uniform' | 'normal'
}

/**
 * He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015; PyTorch's kaiming_uniform_ and kaiming_normal_,
 * float64-equal. std = gain / sqrt(fan); normal: N(0, std^2); uniform: U[-bound, bound), bound = sqrt(3) std.
 */
export class KaimingInitializer extends Initializer {
  readonly name: string = 'kaiming'
  readonly mode: FanMode
  readonly nonlinearity: Nonlinearity
  readonly a: number
  readonly gain: number
  readonly distributionKind: 'uniform' | 'normal'
  readonly #explicitGain: boolean

  /** @throws WeightInitError `INVALID_CONFIG` for an unknown mode, nonlinearity, distribution or key, or a gain or a that is no number */
  constructor(config: KaimingConfig = {}) {
    super()
    refuseUnknownKeys(config, ['mode', 'nonlinearity', 'a', 'gain', 'distribution'], 'kaiming config', 'INVALID_CONFIG')
    this.mode = checkMode(orDefault(config.mode, 'fan_in'))
    this.nonlinearity = orDefault(config.nonlinearity, 'relu')
    this.a = orDefault(config.a, 0)
    const tableGain = calculateGain(this.nonlinearity, this.a)
    finiteNumber(this.a, 'a', 'kaiming')
    this.#explicitGain = config.gain !== undefined
    this.gain = finiteNumber(orDefault(config.gain, tableGain), 'gain', 'kaiming')
    this.distributionKind = oneOf(
      orDefault(config.distribution, 'normal'),
      ['uniform', 'normal'],
      'distribution',
      'kaiming',
    )
  }

  get config(): Readonly<Record<string, unknown>> {
    return {
      mode: this.mode,
      nonlinearity: this.nonlinearity,
      a: this.a,
      ...(this.#explicitGain ? { gain: this.gain } : {}),
      distribution: this.distributionKind,
    }
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2 */
  distribution({ fans }: InitializerContext): Distribution {
    const { fanIn, fanOut } = fans()
    return centred(this.distributionKind, this.gain / Math.sqrt(this.mode === 'fan_in' ? fanIn : fanOut))
  }
}

function checkMode(mode: unknown): FanMode {
  // PyTorch lower-cases the mode.
  const lower = typeof mode === 'string' ? mode.toLowerCase() : mode
  if (lower === 'fan_in' || lower === 'fan_out') return lower
  throw new WeightInitError(
    'INVALID_CONFIG',
    `kaiming: Mode ${typeof mode === 'string' ? mode : show(mode)} not supported, please use one of ['fan_in', 'fan_out'].`,
  )
}

export const kaimingUniform: KaimingInitializer = /* @__PURE__ */ new KaimingInitializer({ distribution: 'uniform' })
export const kaimingNormal: KaimingInitializer = /* @__PURE__ */ new KaimingInitializer({ distribution: 'normal' })
