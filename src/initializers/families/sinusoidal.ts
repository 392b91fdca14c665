import { show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface SinusoidalConfig extends ConfigFrom<typeof SinusoidalInitializer.settings>, InitializerConfig {}

/**
 * The fixed sinusoidal table of positions, of shape [positions, width]. It has no random numbers, so it is the same for every
 * seed. Values lie in [-1, 1].
 * - 'halves' (Whisper, Tensor2Tensor): [p, j] = sin(p w_j) and [p, width/2 + j] = cos(p w_j), with
 *   w_j = maxTimescale^(-j / (width/2 - 1))
 * - 'interleaved' (Vaswani et al. 2017, section 3.5): [p, 2j] = sin(p w_j) and [p, 2j + 1] = cos(p w_j), with
 *   w_j = maxTimescale^(-2j / width)
 *
 * The angle p w_j is rounded to float32, as PyTorch programs do, and its sine and cosine are then rounded to the dtype. Same
 * bits on every device.
 */
export class SinusoidalInitializer extends SchemaInitializer {
  static readonly names = { sinusoidal: {} } as const
  static readonly settings = {
    /** The longest wavelength divided by 2 pi, in positions; in (1, 1e9]. Default 10000. */
    maxTimescale: {
      default: 10000,
      above: 1,
      max: 1e9,
      refusal: 'maxTimescale must be above 1 and at most 1e9, but found %.',
    },
    /** The order of sines and cosines: 'halves' (the default) or 'interleaved'. */
    arrangement: { choices: ['halves', 'interleaved'], default: 'halves' },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof SinusoidalInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a timescale out of range, or an unknown arrangement or key */
  constructor(config: SinusoidalConfig = {}) {
    super(config)
  }

  /** @throws WeightInitError `INVALID_SHAPE` unless the shape is [positions, width] with an even width of at least 4 */
  distribution({ parameter: { name, shape } }: InitializerContext): Distribution {
    const [rows = 1, columns = 1] = shape
    if (shape.length !== 2 || columns % 2 !== 0 || columns < 4) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)} of shape ${show(shape)}: sinusoidal positions are a table [positions, width] with an even ` +
          'width of at least 4. Use another initializer for it.',
      )
    }
    const { maxTimescale, arrangement } = this.config
    return { kind: 'sinusoid', rows, columns, maxTimescale, arrangement }
  }
}

/** The positions of Whisper's encoder. */
export const sinusoidal: SinusoidalInitializer = /* @__PURE__ */ new SinusoidalInitializer()

export const sinusoidalHelp: FamilyHelp<typeof SinusoidalInitializer> = {
  family: SinusoidalInitializer,
  summary: 'The fixed table of positions [positions, width]; no random numbers.',
  distribution: 'sin and cos of position times frequency',
  citation: 'Vaswani et al. 2017, section 3.5; Whisper',
  settings: {
    maxTimescale: 'the longest wavelength over 2 pi, in positions',
    arrangement: "sines before cosines (halves, Whisper's), or in turn (interleaved)",
  },
}
