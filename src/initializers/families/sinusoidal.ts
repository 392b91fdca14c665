import { refuseUnknownKeys, show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, type InitializerContext, oneOf, orDefault } from '../initializer.js'

export interface SinusoidalConfig {
  /** Longest wavelength over 2 pi, in positions: above 1, at most 1e9. Default 10000. */
  readonly maxTimescale?: number
  /** Where sine and cosine lie: 'halves' (default), or 'interleaved'. */
  readonly arrangement?: 'halves' | 'interleaved'
}

/**
 * The fixed sinusoidal table of positions [positions, width]: no random numbers, the same for every seed. In [-1, 1].
 * - halves (Whisper, Tensor2Tensor): [p, j] = sin(p w_j), [p, width/2 + j] = cos(p w_j), w_j = maxTimescale^(-j / (width/2 - 1))
 * - interleaved (Vaswani et al. 2017, section 3.5): [p, 2j] = sin(p w_j), [p, 2j + 1] = cos(p w_j), w_j = maxTimescale^(-2j / width)
 *
 * p w_j is rounded to float32 as PyTorch's programs do; the sine of that is exact to float32. Same bits on every device.
 */
export class SinusoidalInitializer extends Initializer {
  readonly name: string = 'sinusoidal'
  readonly maxTimescale: number
  readonly arrangement: 'halves' | 'interleaved'

  /** @throws WeightInitError `INVALID_CONFIG` for a timescale out of range, an unknown arrangement or key */
  constructor(config: SinusoidalConfig = {}) {
    super()
    refuseUnknownKeys(config, ['maxTimescale', 'arrangement'], 'sinusoidal config', 'INVALID_CONFIG')
    this.maxTimescale = finiteNumber(orDefault(config.maxTimescale, 10000), 'maxTimescale', this.name)
    if (!(this.maxTimescale > 1 && this.maxTimescale <= 1e9)) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `sinusoidal: maxTimescale must be above 1 and at most 1e9, but found ${this.maxTimescale}.`,
      )
    }
    this.arrangement = oneOf(
      orDefault(config.arrangement, 'halves'),
      ['halves', 'interleaved'],
      'arrangement',
      this.name,
    )
  }

  get config(): Readonly<Record<string, unknown>> {
    return { maxTimescale: this.maxTimescale, arrangement: this.arrangement }
  }

  /** @throws WeightInitError `INVALID_SHAPE` unless [positions, width] with an even width of at least 4 */
  distribution({ parameter: { name, shape } }: InitializerContext): Distribution {
    const [rows = 1, columns = 1] = shape
    if (shape.length !== 2 || columns % 2 !== 0 || columns < 4) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)} of shape ${show(shape)}: sinusoidal positions are a table [positions, width] with an even ` +
          'width of at least 4. Use another initializer for it.',
      )
    }
    return { kind: 'sinusoid', rows, columns, maxTimescale: this.maxTimescale, arrangement: this.arrangement }
  }
}

/** Whisper's positions. */
export const sinusoidal: SinusoidalInitializer = /* @__PURE__ */ new SinusoidalInitializer()
