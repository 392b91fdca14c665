import { show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface OrthogonalConfig extends ConfigFrom<typeof OrthogonalInitializer.settings>, InitializerConfig {}

/**
 * gain times a random orthogonal matrix that is uniform over all orthogonal matrices (Haar): the Q of the QR factorisation of
 * a matrix of N(0, 1) elements, with a positive diagonal of R. Saxe, McClelland, Ganguli, ICLR 2014; PyTorch's orthogonal_,
 * Keras's Orthogonal, JAX's orthogonal.
 *
 * A tensor of rank > 2 is flattened to a matrix: to [size(0), rest] in the layouts out-in and transposed, as in PyTorch, and
 * to [rest, out] in the layout in-out, as in JAX and Keras. If the matrix is not square, the vectors along its shorter side
 * are orthonormal. Every fused block and every index of the batch axes gets a matrix of its own.
 *
 * This is the only distribution that is not bit-exact between devices: one device always gives the same bits, and they agree
 * with the CPU's values within 2e-5.
 */
export class OrthogonalInitializer extends SchemaInitializer {
  static readonly names = { orthogonal: {} } as const
  static readonly settings = {
    /** A factor on the orthogonal matrix. Default 1. */
    gain: { default: 1 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof OrthogonalInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a gain that is not a finite number, or an unknown key */
  constructor(config: OrthogonalConfig = {}) {
    super(config)
  }

  /** @throws WeightInitError `INVALID_SHAPE` for rank < 2, and for fused blocks in a layout other than out-in */
  distribution({ parameter }: InitializerContext): Distribution {
    const { shape, name, layout, blocks, batchAxes, elementCount } = parameter
    if (shape.length < 2) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)} of shape ${show(shape)}: Only tensors with 2 or more dimensions are supported by orthogonal.`,
      )
    }
    if (blocks > 1 && layout !== 'out-in') {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)}: orthogonal takes fused blocks in the layout out-in only, but found ${layout}. Split the blocks into parameters of their own.`,
      )
    }
    const batch = shape.slice(0, batchAxes).reduce((a, b) => a * b, 1) * blocks
    const each = elementCount / batch
    const last = shape.at(-1) ?? 1
    const rows = layout === 'in-out' ? each / last : (shape[batchAxes] ?? 1) / blocks
    return {
      kind: 'orthogonal',
      gain: this.config.gain,
      batch,
      rows,
      columns: each / rows,
      field: 1,
      centre: 0,
      stride: 1,
    }
  }
}

/**
 * A convolution that is an orthogonal map: gain times an orthogonal matrix at the kernel's centre, and zeros elsewhere. The
 * layer must have at least as many output channels as input channels. Xiao et al., "Dynamical isometry and a mean field theory
 * of CNNs", ICML 2018; jax.nn.initializers.delta_orthogonal. Exactness is that of `OrthogonalInitializer`.
 */
export class DeltaOrthogonalInitializer extends SchemaInitializer {
  static readonly names = { delta_orthogonal: {} } as const
  static readonly settings = {
    /** A factor on the orthogonal matrix. Default 1. */
    gain: { default: 1 },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof DeltaOrthogonalInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` for a gain that is not a finite number, or an unknown key */
  constructor(config: OrthogonalConfig = {}) {
    super(config)
  }

  /**
   * @throws WeightInitError `INVALID_SHAPE` unless the rank is 3, 4 or 5, there are at least as many outputs as inputs, the
   *   layout is out-in or in-out, and there are no groups, blocks or batch axes
   */
  distribution({ parameter }: InitializerContext): Distribution {
    const { shape, name, layout, groups, blocks, batchAxes } = parameter
    const refuse = (why: string): never => {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)} of shape ${show(shape)}: delta_orthogonal ${why}`,
      )
    }
    if (shape.length < 3 || shape.length > 5) refuse('initializer requires a 3D, 4D or 5D shape.')
    if (layout === 'transposed' || groups > 1 || blocks > 1 || batchAxes > 0) {
      refuse('takes plain convolutions in the layout out-in or in-out, without groups, blocks or batch axes.')
    }
    const inOut = layout === 'in-out'
    const kernel = inOut ? shape.slice(0, -2) : shape.slice(2)
    const [first = 1, second = 1] = inOut ? shape.slice(-2) : shape
    const [inputs, outputs] = inOut ? [first, second] : [second, first]
    if (inputs > outputs) {
      refuse(`needs fan_in <= fan_out: its ${inputs} input channels are more than its ${outputs} output channels.`)
    }
    const field = kernel.reduce((a, b) => a * b, 1)
    const centre = kernel.reduce((at, length) => at * length + Math.floor((length - 1) / 2), 0)
    return {
      kind: 'orthogonal',
      gain: this.config.gain,
      batch: 1,
      rows: first,
      columns: second,
      field,
      centre,
      stride: inOut ? 1 : field,
    }
  }
}

export const orthogonal: OrthogonalInitializer = /* @__PURE__ */ new OrthogonalInitializer()
export const deltaOrthogonal: DeltaOrthogonalInitializer = /* @__PURE__ */ new DeltaOrthogonalInitializer()

export const orthogonalHelp: FamilyHelp<typeof OrthogonalInitializer> = {
  family: OrthogonalInitializer,
  summary: 'A random orthogonal matrix times gain; a tensor of more axes is flattened.',
  distribution: 'gain Q, Q uniform over all orthogonal matrices (Haar)',
  citation:
    'Saxe et al. 2014; torch.nn.init.orthogonal_; jax.nn.initializers.orthogonal; keras.initializers.Orthogonal',
  settings: {
    gain: 'a factor on the matrix',
  },
}

export const deltaOrthogonalHelp: FamilyHelp<typeof DeltaOrthogonalInitializer> = {
  family: DeltaOrthogonalInitializer,
  summary: 'A convolution that is an orthogonal map.',
  distribution: "gain Q at the kernel's centre, zeros elsewhere",
  citation: 'Xiao et al. 2018; jax.nn.initializers.delta_orthogonal',
  settings: {
    gain: 'a factor on the matrix',
  },
}
