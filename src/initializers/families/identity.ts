import { show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface EyeConfig extends ConfigFrom<typeof EyeInitializer.settings>, InitializerConfig {}

/**
 * `gain` on the main diagonal of a matrix, which need not be square, and zeros elsewhere. PyTorch's eye_ and Keras's
 * Identity. For dtypes of at least two bytes.
 */
export class EyeInitializer extends SchemaInitializer {
  /** 'identity' is Keras's name. */
  static readonly names = { eye: {}, identity: {} } as const
  static readonly settings = {
    /** Value on the diagonal. Default 1. */
    gain: { default: 1 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof EyeInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a gain that is not a finite number, or an unknown key */
  constructor(config: EyeConfig = {}) {
    super(config)
  }

  /** @throws WeightInitError `INVALID_SHAPE` unless the rank is 2, `UNSUPPORTED_DTYPE` for a dtype of one byte */
  distribution({ parameter }: InitializerContext): Distribution {
    const { shape, name, elementCount } = parameter
    if (shape.length !== 2) wrongRank(name, shape, 'Only tensors with 2 dimensions are supported', 'eye')
    const [rows = 1, columns = 1] = shape
    return {
      kind: 'diagonal',
      value: this.config.gain,
      elementCount,
      runs: [{ first: 0, stride: columns + 1, count: Math.min(rows, columns) }],
    }
  }
}

export interface DiracConfig extends ConfigFrom<typeof DiracInitializer.settings>, InitializerConfig {}

/**
 * The identity as a convolution: its output channels copy its input channels, as far as both exist. PyTorch's dirac_. For each
 * group g and each d < min(out / groups, in), weight[g out/groups + d, d, centre of the kernel] = 1; all other elements are 0.
 * Only for the layout out-in and dtypes of at least two bytes.
 */
export class DiracInitializer extends SchemaInitializer {
  static readonly names = { dirac: {} } as const
  static readonly settings = {
    /** The number of groups of the convolution; it must divide the output channels. Default 1. */
    groups: {
      integer: true,
      default: 1,
      min: 1,
      refusal: 'groups must be a positive integer, but found %.',
    },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof DiracInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` unless groups is a positive integer, and for an unknown key */
  constructor(config: DiracConfig = {}) {
    super(config)
  }

  /**
   * @throws WeightInitError `INVALID_SHAPE` unless the rank is 3, 4 or 5, groups divides axis 0 and the layout is out-in;
   *   `UNSUPPORTED_DTYPE` for a dtype of one byte
   */
  distribution({ parameter }: InitializerContext): Distribution {
    const { groups } = this.config
    const { shape, name, elementCount, layout } = parameter
    if (shape.length < 3 || shape.length > 5) {
      wrongRank(name, shape, 'Only tensors with 3, 4, or 5 dimensions are supported', 'dirac')
    }
    if (layout !== 'out-in') {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)}: dirac needs the layout out-in, but found ${layout}.`,
      )
    }
    const [out = 1, inputs = 1, ...kernel] = shape
    if (out % groups !== 0) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)}: dim 0 must be divisible by groups, but found ${out} and groups ${groups}.`,
      )
    }
    const field = kernel.reduce((a, b) => a * b, 1)
    const centre = kernel.reduce((at, length) => at * length + Math.floor(length / 2), 0)
    const perGroup = out / groups
    const row = inputs * field
    return {
      kind: 'diagonal',
      value: 1,
      elementCount,
      runs: Array.from({ length: groups }, (_, group) => ({
        first: group * perGroup * row + centre,
        stride: row + field,
        count: Math.min(perGroup, inputs),
      })),
    }
  }
}

function wrongRank(name: string, shape: readonly number[], words: string, initializer: string): never {
  throw new WeightInitError(
    'INVALID_SHAPE',
    `Parameter ${show(name)} of shape ${show(shape)}: ${words} by ${initializer}.`,
  )
}

export const eye: EyeInitializer = /* @__PURE__ */ new EyeInitializer()
/** Keras's name for `eye`. */
export const identity: EyeInitializer = eye
export const dirac: DiracInitializer = /* @__PURE__ */ new DiracInitializer()

export const eyeHelp: FamilyHelp<typeof EyeInitializer> = {
  family: EyeInitializer,
  summary: 'Ones, times gain, on the diagonal of a matrix, square or not; zeros elsewhere.',
  distribution: 'gain on the diagonal',
  citation: 'torch.nn.init.eye_; keras.initializers.Identity',
  settings: {
    gain: 'the value on the diagonal',
  },
}

export const diracHelp: FamilyHelp<typeof DiracInitializer> = {
  family: DiracInitializer,
  summary: 'The identity of a convolution in the layout out-in.',
  distribution: '1 at the centre of the kernel where input and output channel are the same, in each group',
  citation: 'torch.nn.init.dirac_',
  settings: {
    groups: 'groups of the convolution; they must divide the output channels',
  },
}
