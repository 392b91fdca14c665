import { refuseUnknownKeys, show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import { finiteNumber, Initializer, type InitializerContext, orDefault } from '../initializer.js'

export interface SparseConfig {
  /** Share of every column that is 0, in [0, 1]; rounded up to whole elements. */
  readonly sparsity: number
  /** Standard deviation of the others. Default 0.01. */
  readonly std?: number
}

/**
 * N(0, std^2) with ceil(sparsity * rows) zeros in every column of a matrix. PyTorch's sparse_; Martens, "Deep learning via
 * Hessian-free optimization", ICML 2010. Which rows are zero depends on (seed, name, column) alone.
 */
export class SparseInitializer extends Initializer {
  readonly name: string = 'sparse'
  readonly sparsity: number
  readonly std: number

  /** @throws WeightInitError `INVALID_CONFIG` for sparsity outside [0, 1], a std that is no number >= 0, an unknown key */
  constructor(config: SparseConfig) {
    super()
    refuseUnknownKeys(config ?? {}, ['sparsity', 'std'], 'sparse config', 'INVALID_CONFIG')
    this.sparsity = finiteNumber(config?.sparsity, 'sparsity', this.name)
    if (this.sparsity < 0 || this.sparsity > 1) {
      throw new WeightInitError('INVALID_CONFIG', `sparse: sparsity must lie in [0, 1], but found ${this.sparsity}.`)
    }
    this.std = finiteNumber(orDefault(config.std, 0.01), 'std', this.name)
    if (this.std < 0)
      throw new WeightInitError('INVALID_CONFIG', `sparse: normal expects std >= 0.0, but found std ${this.std}.`)
  }

  get config(): Readonly<Record<string, unknown>> {
    return { sparsity: this.sparsity, std: this.std }
  }

  /** @throws WeightInitError `INVALID_SHAPE` unless rank 2, in PyTorch's words */
  distribution({ parameter }: InitializerContext): Distribution {
    const { shape, name } = parameter
    if (shape.length !== 2) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `Parameter ${show(name)} of shape ${show(shape)}: Only tensors with 2 dimensions are supported by sparse.`,
      )
    }
    const [rows = 1, columns = 1] = shape
    return { kind: 'sparse', std: this.std, rows, columns, zeros: Math.ceil(this.sparsity * rows) }
  }
}
