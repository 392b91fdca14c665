import { show, WeightInitError } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import type { Parameter } from '../../ir/parameter.js'
import { calculateFans } from '../fans.js'
import { calculateGain } from '../gain.js'
import { centred, type InitializerContext, SchemaInitializer } from '../initializer.js'
import type { FamilyHelp, NoSettings, ReadConfig } from '../schema.js'

const recurrent = /(weight|bias)_(ih|hh|hr)((_l\d+)?(_reverse)?)$/

/**
 * What PyTorch's layers do when they are built (`reset_parameters`), for every class of torch.nn with parameters (PyTorch
 * 2.13). The class is the parameter's `module`; without it, names, shapes and the parameters beside it tell:
 * - Linear, Conv, ConvTranspose: weight kaiming_uniform_(a = sqrt(5)), that is U(-1/sqrt(fan_in), 1/sqrt(fan_in)); bias the
 *   same bound, with the fan_in of the weight beside it
 * - Bilinear (by `module`, or where its name says so): both U(-1/sqrt(in1), 1/sqrt(in1))
 * - Embedding, EmbeddingBag: N(0, 1), the padding row 0
 * - LSTM, GRU, RNN and their cells (weight_ih_l0, weight_hh, ...): everything U(-1/sqrt(hidden), 1/sqrt(hidden))
 * - MultiheadAttention: in_proj_weight or q_, k_ and v_proj_weight xavier_uniform_, bias_k and bias_v xavier_normal_, the
 *   other biases 0; out_proj.weight as in Linear
 * - Transformer (an encoder and a decoder beside each other): every tensor of two axes xavier_uniform_
 * - norms: scale 1, bias 0; PReLU: 0.25
 * - weight_norm and spectral_norm: the direction and the original are drawn as the weight would be
 * Fans are PyTorch's, from the shape alone; a weight of layout 'in-out' is the transpose of PyTorch's. Applies to every
 * role, so that one name initialises a whole model as PyTorch does.
 */
export class TorchDefaultInitializer extends SchemaInitializer {
  static readonly names = { torch_default: {} } as const
  static readonly settings = {} as const
  static readonly usesFans = false

  declare readonly config: ReadConfig<typeof TorchDefaultInitializer.settings>
  override readonly appliesToEveryRole: boolean = true

  /** @throws WeightInitError `INVALID_CONFIG` for any key, because it has no settings */
  constructor(config: NoSettings = {}) {
    super(config)
  }

  /** @throws WeightInitError `UNMATCHED_PARAMETER` for a bias without a weight of the same layer, and for a buffer */
  distribution(context: InitializerContext): Distribution {
    const { parameter, find } = context
    const { name, role, shape, module = '', initial } = parameter
    if (recurrent.test(name) || /^(LSTM|GRU|RNN)/.test(module)) {
      const hidden = hiddenSize(context)
      if (hidden !== undefined) return withinBound(hidden)
    }
    const at = name.lastIndexOf('.') + 1
    const [prefix, last] = [name.slice(0, at), name.slice(at)]
    const beside = (other: string): Parameter | undefined => find(prefix + other)
    const isAttention = (at: string): boolean =>
      ['in_proj_weight', 'q_proj_weight', 'in_proj_bias'].some((weight) => find(`${at}${weight}`) !== undefined)
    const stack = /^((?:.*\.)?)(?:encoder|decoder)\.layers\.\d+\./.exec(name)
    const inTransformer =
      stack !== null &&
      isAttention(`${stack[1]}encoder.layers.0.self_attn.`) &&
      isAttention(`${stack[1]}decoder.layers.0.multihead_attn.`)
    const isProjection = /^(in|q|k|v)_proj_weight$/.test(last) || (module === 'MultiheadAttention' && role === 'weight')
    if (isProjection || (inTransformer && shape.length > 1)) return xavier(context, 'uniform')
    if (/^bias_[kv]$/.test(last) && isAttention(prefix)) return xavier(context, 'normal')
    if (last === 'in_proj_bias' || (last === 'bias' && isAttention(prefix.replace(/out_proj\.$/, '')))) {
      return constant(0)
    }
    if (module === 'PReLU' || (role === 'scale' && last === 'weight')) return constant(0.25)
    // A norm's scale and shift have the same shape; no other layer's weight and bias do.
    const pair = last === 'weight' ? beside('bias') : last === 'bias' ? beside('weight') : undefined
    if (pair !== undefined && String(pair.shape) === String(shape)) return constant(last === 'weight' ? 1 : 0)
    const isBilinear = module === 'Bilinear' || /bilinear/i.test(prefix)
    switch (role) {
      case 'embedding':
        return { kind: 'normal', mean: 0, std: 1 }
      case 'norm-scale':
        return constant(1)
      case 'norm-bias':
        return constant(0)
      case 'weight':
        if (isBilinear && shape.length === 3) return withinBound(shape[1]!)
        return centred('uniform', calculateGain('leaky_relu', Math.sqrt(5)) / Math.sqrt(fanIn(parameter)))
      case 'bias': {
        const weight = weightBeside(context, beside)
        if (weight !== undefined) {
          return withinBound(isBilinear && weight.shape.length === 3 ? weight.shape[1]! : fanIn(weight))
        }
      }
    }
    if (initial !== undefined) return constant(initial)
    throw new WeightInitError(
      'UNMATCHED_PARAMETER',
      `torch_default has no rule for ${show(name)}, role ${role}: ${
        role === 'bias'
          ? `the model has no weight ${show(name.replace(/bias$/, 'weight'))} for it`
          : 'no layer of torch.nn has it'
      }. Initialise it by a rule of your own, or skip it.`,
    )
  }
}

const constant = (value: number): Distribution => ({ kind: 'constant', value })

function withinBound(fanIn: number): Distribution {
  const bound = 1 / Math.sqrt(fanIn)
  return { kind: 'uniform', low: -bound, high: bound }
}

function xavier({ parameter, torchFansOf }: InitializerContext, distribution: 'uniform' | 'normal'): Distribution {
  const { fanIn, fanOut } = torchFansOf(parameter)
  return centred(distribution, Math.sqrt(2 / (fanIn + fanOut)))
}

/** PyTorch's fan_in. An in-out weight is PyTorch's Linear or Conv, its axes in another order. */
const fanIn = (weight: Parameter): number =>
  calculateFans(weight, weight.layout === 'in-out' ? 'layout' : 'torch').fanIn

/** The weight of a bias's layer; under weight_norm and spectral_norm it has another name. */
function weightBeside(
  { parameter: { name, layerWeight }, find }: InitializerContext,
  beside: (other: string) => Parameter | undefined,
): Parameter | undefined {
  if (layerWeight !== undefined) return find(layerWeight)
  if (!name.endsWith('bias')) return undefined
  const own = find(name.replace(/bias$/, 'weight'))
  if (own !== undefined || !/(^|\.)bias$/.test(name)) return own
  const normed = 'parametrizations.weight.original'
  return [`${normed}1`, normed, 'weight_v', 'weight_orig', 'kernel'].map(beside).find((weight) => weight !== undefined)
}

/** Columns of the recurrent weight of the same layer; with a projection, those of the weight that projects. */
function hiddenSize({ parameter: { name, layerWeight }, find }: InitializerContext): number | undefined {
  const of = (kind: string): string => layerWeight ?? name.replace(recurrent, `weight_${kind}$3`)
  return (find(of('hr')) ?? find(of('hh')))?.shape.at(-1)
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
