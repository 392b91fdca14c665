import { show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { ConfigFrom, FamilyHelp, InitializerConfig, ReadConfig } from '../schema.js'

export interface SparseConfig extends ConfigFrom<typeof SparseInitializer.settings>, InitializerConfig {}

/**
 * N(0, std^2) with exactly ceil(sparsity * rows) zeros in every column of a matrix, at rows that depend only on (seed, name,
 * column). PyTorch's sparse_; Martens, "Deep learning via Hessian-free optimization", ICML 2010.
 */
export class SparseInitializer extends SchemaInitializer {
  static readonly names = { sparse: {} } as const
  static readonly settings = {
    /** The fraction of every column that is 0, in [0, 1]. The number of zeros is rounded up. */
    sparsity: { min: 0, max: 1, refusal: 'sparsity must lie in [0, 1], but found %.' },
    /** The standard deviation of the other elements, >= 0. Default 0.01. */
    std: { default: 0.01, min: 0, refusal: 'normal expects std >= 0.0, but found std %.' },
  } as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof SparseInitializer.settings>

  /** @throws WeightInitError `INVALID_CONFIG` unless sparsity lies in [0, 1] and std is >= 0, and for an unknown key */
  constructor(config: SparseConfig) {
    super(config)
  }

  /** @throws WeightInitError `INVALID_SHAPE` unless the rank is 2 */
  distribution({ parameter }: InitializerContext): Distribution {
    const { shape, name } = parameter
    if (shape.length !== 2) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)} of shape ${show(shape)}: Only tensors with 2 dimensions are supported by sparse.`,
      )
    }
    const [rows = 1, columns = 1] = shape
    return { kind: 'sparse', std: this.config.std, rows, columns, zeros: Math.ceil(this.config.sparsity * rows) }
  }
}

export const sparseHelp: FamilyHelp<typeof SparseInitializer> = {
  family: SparseInitializer,
  summary: 'A matrix with the same number of zeros in every column, at random rows.',
  distribution: 'N(0, std^2); ceil(sparsity * rows) zeros in every column',
  citation: 'Martens 2010; torch.nn.init.sparse_',
  settings: {
    sparsity: 'the share of every column that is 0',
    std: 'the standard deviation of the other elements',
  },
}
