import { show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import type { Parameter } from '../../ir/parameter.js'
import { calculateGain } from '../gain.js'
import { centred, type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { FamilyHelp, NoSettings, ReadConfig } from '../schema.js'

const recurrent = /(^|\.)(weight|bias)_(ih|hh|hr)_l\d+(_reverse)?$/

/**
 * The initialisation that PyTorch's layers perform when they are constructed (`reset_parameters`):
 * - Linear and Conv: the weight is kaiming_uniform_(a = sqrt(5)), which is U[-b, b) with b = 1 / sqrt(fan_in); the bias has the
 *   same bound, with the fan_in of its layer's weight
 * - Embedding: N(0, 1); the padding row is 0
 * - LSTM, GRU, RNN (weight_ih_l0, ...): every parameter is U[-b, b) with b = 1 / sqrt(hidden)
 * - norms: scale 1, bias 0
 *
 * Fans are computed as PyTorch does, from the shape alone. It applies to every role, so that this one name initialises a whole
 * model as PyTorch does.
 */
export class TorchDefaultInitializer extends SchemaInitializer {
  static readonly names = { torch_default: {} } as const
  static readonly settings = {} as const
  static readonly usesFans = true

  declare readonly config: ReadConfig<typeof TorchDefaultInitializer.settings>
  override readonly appliesToEveryRole: boolean = true

  /** @throws WeightInitError `INVALID_CONFIG` for any key, because it has no settings */
  constructor(config: NoSettings = {}) {
    super(config)
  }

  /** @throws WeightInitError `UNMATCHED_PARAMETER` for a bias without a weight of the same layer, and for a buffer */
  distribution(context: InitializerContext): Distribution {
    const { parameter } = context
    if (recurrent.test(parameter.name)) return withinBound(1 / Math.sqrt(hiddenSize(context)))
    switch (parameter.role) {
      case 'embedding':
        return { kind: 'normal', mean: 0, std: 1 }
      case 'norm-scale':
        return { kind: 'constant', value: 1 }
      case 'norm-bias':
        return { kind: 'constant', value: 0 }
      case 'weight': {
        const { fanIn } = context.torchFansOf(parameter)
        return centred('uniform', calculateGain('leaky_relu', Math.sqrt(5)) / Math.sqrt(fanIn))
      }
      case 'bias': {
        const { fanIn } = context.torchFansOf(weightBeside(context))
        return withinBound(1 / Math.sqrt(fanIn))
      }
      case 'buffer':
        throw new WeightInitError(
          'UNMATCHED_PARAMETER',
          `torch_default has no rule for the buffer ${show(parameter.name)}; initialise it by a rule of your own, or skip it.`,
        )
    }
  }
}

function withinBound(bound: number): Distribution {
  return { kind: 'uniform', low: -bound, high: bound }
}

function weightBeside({ parameter, find }: InitializerContext): Parameter {
  const name = parameter.name.replace(/bias$/, 'weight')
  const weight = name === parameter.name ? undefined : find(name)
  if (weight !== undefined) return weight
  throw new WeightInitError(
    'UNMATCHED_PARAMETER',
    `torch_default takes the bound of ${show(parameter.name)} from the fan_in of its weight, but the model has no ` +
      `parameter ${show(name)}. Give the bias a rule of its own.`,
  )
}

/** The hidden size: the number of columns of the same layer's recurrent weight. */
function hiddenSize({ parameter, find }: InitializerContext): number {
  const name = parameter.name.replace(/(weight|bias)_(ih|hh|hr)(_l\d+(?:_reverse)?)$/, 'weight_hh$3')
  const recurrentWeight = find(name)
  const hidden = recurrentWeight?.shape[1]
  if (hidden !== undefined) return hidden
  throw new WeightInitError(
    'UNMATCHED_PARAMETER',
    `torch_default takes the hidden size of ${show(parameter.name)} from ${show(name)}, which the model does not have.`,
  )
}

export const torchDefault: TorchDefaultInitializer = /* @__PURE__ */ new TorchDefaultInitializer()

export const torchDefaultHelp: FamilyHelp<typeof TorchDefaultInitializer> = {
  family: TorchDefaultInitializer,
  summary: "What PyTorch's layers do when they are built, for parameters of every role.",
  distribution:
    'U(-b, b), b = 1 / sqrt(n_in), for weights and biases; N(0, 1) for embeddings; b = 1 / sqrt(hidden) for LSTM, GRU and RNN',
  citation: '`reset_parameters` of torch.nn',
  settings: {},
}
