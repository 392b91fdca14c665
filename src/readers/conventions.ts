import type { ParameterSpec } from '../ir/parameter.js'
import { inferRole, isVector } from '../model/validate.js'

/** Everything about a parameter but what its file says itself. */
export type ParameterFacts = Partial<Omit<ParameterSpec, 'name' | 'shape' | 'dtype'>>

/** What a name says about a tensor. */
export interface Named {
  readonly facts: ParameterFacts
  /** Why the facts may be wrong, or why there are none: undefined where a convention has them. */
  readonly doubt?: string
}

/** A tensor among the others of its file. */
export interface NamedTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** The name with dots and without Keras's ':0'. */
  readonly path: string
  /** Shape of the tensor whose name has `other` in place of its own last component. */
  beside(other: string): readonly number[] | undefined
  /** Whether any tensor of the file has a path that matches. */
  any(pattern: RegExp): boolean
}

/** One habit of a library: which tensors, what they are there, and where that is written. */
interface Convention {
  readonly match: RegExp
  readonly when?: (tensor: NamedTensor) => boolean
  readonly facts: ParameterFacts | ((tensor: NamedTensor) => ParameterFacts)
  readonly doubt?: string
  readonly source: string
}

const unknown = { role: 'unknown' } as const
const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1)
const isExperts = ({ shape, path }: NamedTensor): boolean =>
  shape.length === 3 && /(^|[._])(experts?|moe)(\d*|_\w+)(\.|$)/.test(path)

/**
 * Fused experts [experts, out, in] or [experts, in, out]. Both orders are in use under the same names: the pair of gate_up
 * (two blocks, from the model's width) and down tells them apart.
 */
function expertFacts(tensor: NamedTensor): ParameterFacts {
  const isGate = /gate_up_proj(\.weight)?$/.test(tensor.path)
  const other = (name: string): readonly number[] | undefined =>
    tensor.beside(name) ?? tensor.beside(`${name}.weight`) ?? undefined
  const gate = isGate ? tensor.shape : other('gate_up_proj')
  const down = isGate ? other('down_proj') : tensor.shape
  const inOut =
    gate !== undefined && down !== undefined && gate[1] === down[2] && gate[2] === 2 * down[1]! && gate[1] !== gate[2]
  const isFlax = /kernel$/.test(tensor.path)
  return {
    role: 'weight',
    batchAxes: 1,
    ...(inOut || isFlax ? { layout: 'in-out' } : {}),
    ...(isGate ? { blocks: 2 } : {}),
  }
}

/** Flax's attention: query, key and value [features, heads, width], out [heads, width, features]; drawn as two axes. */
function flaxAttention({ path, shape }: NamedTensor): ParameterFacts {
  const [first = 1, second = 1, third = 1] = shape
  const isOut = /out\.kernel$/.test(path)
  const fan = isOut ? { in: first * second, out: third } : { in: first, out: second * third }
  return { role: 'weight', layout: 'in-out', fan }
}

/**
 * What libraries call their parameters, and what that means there. The first row that matches decides. A row whose facts
 * are unknown is about a parameter whose value its library computes in a way that no distribution describes, or takes from
 * a setting that a checkpoint does not hold.
 */
const conventions: readonly Convention[] = [
  // Not learnt.
  {
    match:
      /(^|[._])(inv_freq|position_ids|token_type_ids|masked_bias|attn_mask|causal_mask|attention_bias_idxs|relative_position_index|rel_pos_index|relative_coords_table|freqs?_(cis|cos|sin)|(cos|sin)_cached)$/,
    facts: { role: 'buffer' },
    source: 'transformers, timm: registered buffers',
  },
  {
    match: /attn\.bias$/,
    when: ({ shape }) => shape.length === 4 && shape[0] === 1 && shape[1] === 1,
    facts: { role: 'buffer' },
    source: 'transformers 4, modeling_gpt2.py: the causal mask',
  },
  // State-space and linear-attention models.
  {
    match: /(^|\.)(A_logs?|dt_bias|dt_projs_(weight|bias))$/,
    facts: unknown,
    doubt: 'Mamba computes it: A_log is the logarithm of 1, 2, ..., dt_bias the inverse softplus of a random step',
    source: 'mamba_ssm/modules/mamba_simple.py, mamba2.py',
  },
  {
    match: /dt_proj\.bias$/,
    when: ({ any }) => any(/A_log$/),
    facts: unknown,
    doubt: 'Mamba computes it: the inverse softplus of a random step',
    source: 'mamba_ssm/modules/mamba_simple.py',
  },
  {
    match: /(^|\.)Ds?$/,
    when: ({ any }) => any(/A_logs?$/),
    facts: { role: 'scale', initial: 1 },
    source: 'mamba_ssm/modules/mamba_simple.py: torch.ones',
  },
  {
    match: /(^|\.)time_(decay|first|faaaa|mix_\w+|maa_\w+|mixing\w*)$/,
    facts: unknown,
    doubt: 'RWKV computes it from the number of the layer',
    source: 'BlinkDL/RWKV-LM',
  },
  // Reparametrised weights.
  {
    match: /(^|\.)(weight_v|parametrizations\.\w+\.original1)$/,
    when: ({ beside }) => (beside('weight_g') ?? beside('original0')) !== undefined,
    facts: { role: 'weight' },
    source: 'torch.nn.utils.weight_norm: the direction',
  },
  {
    match: /(^|\.)(weight_g|parametrizations\.\w+\.original0)$/,
    facts: unknown,
    doubt: 'weight_norm computes it: the norm of the direction that is drawn with it',
    source: 'torch.nn.utils.weight_norm: the magnitude',
  },
  {
    match: /(^|\.)(weight_orig|parametrizations\.\w+\.original)$/,
    facts: { role: 'weight' },
    source: 'torch.nn.utils.spectral_norm, parametrizations',
  },
  {
    match: /(^|\.)(weight_[uv]|parametrizations\.\w+\.\d+\._[uv])$/,
    facts: unknown,
    doubt: 'spectral_norm computes it: a singular vector of the weight that is drawn with it',
    source: 'torch.nn.utils.spectral_norm',
  },
  // Tables and single vectors that are looked up or put in place.
  {
    match: /(^|\.)masked_spec_embed$/,
    facts: unknown,
    doubt: 'transformers draws it from U(0, 1), other libraries otherwise',
    source: 'transformers, modeling_wav2vec2.py',
  },
  {
    match: /(^|\.)embeddings\.mask_token$/,
    facts: { role: 'unknown', initial: 0 },
    source: 'transformers, modeling_vit.py, modeling_beit.py, modeling_swin.py',
  },
  {
    match: /(^|\.)mask_tokens?$/,
    facts: unknown,
    doubt: 'libraries start a mask token at 0 or at random',
    source: 'timm (beit.py, swin_transformer_v2_cr.py), MAE',
  },
  {
    match: /(^|[._])(relative_position_bias_table|relative_attention_bias\.weight|rel_pos(_[hw])?|attention_biases)$/,
    when: ({ shape }) => shape.length >= 2,
    facts: { role: 'embedding' },
    source:
      'transformers (modeling_t5.py, modeling_swin.py), timm (swin_transformer.py, levit.py): tables of positions',
  },
  {
    match:
      /(^|[._])(emb|embed(ding)?s?|wte|wpe|shared|tok_embeddings|(token|word|position|token_type|entity|label)_embeddings?|(embed|pos)_(tokens|positions|embed(ding)?s?)|(token|position)_embedding_table)\.(weight|embeddings?)$/i,
    when: ({ shape }) => shape.length === 2,
    facts: { role: 'embedding' },
    source: 'torch.nn.Embedding, flax.linen.Embed, keras.layers.Embedding: the module is named as a table',
  },
  {
    match: /\.embeddings?$/,
    when: ({ shape, path }) => shape.length === 2 && /(^|\.)(\w*embed\w*)\.embeddings?$/i.test(path),
    facts: { role: 'embedding' },
    source: 'flax.linen.Embed (embedding), keras.layers.Embedding (embeddings)',
  },
  {
    match:
      /(^|[._])((cls|dist|distillation|class|register|reg|sep)_(token|embedding)s?|position_embeddings?|pos_embed(_\w+)?|pos_embedding|positional_embedding|(token|word|entity|label|pos)_(embed(ding)?s?)|(wte|wpe)|embed(ding)?s?|embed_(tokens|positions)|(token|position)_embedding_table)$/i,
    when: ({ shape }) => shape.length >= 1 && shape.length <= 4,
    facts: { role: 'embedding' },
    doubt: 'it is a learnt vector or table of the model itself, and libraries start those differently',
    source: 'timm, transformers, torchvision: nn.Parameter',
  },
  // Factors.
  {
    match: /(^|\.)logit_scale$/,
    when: ({ shape }) => product(shape) === 1,
    facts: { role: 'scale', initial: Math.log(1 / 0.07) },
    source: 'openai/CLIP, transformers modeling_clip.py: ln(1 / 0.07)',
  },
  {
    match: /(^|\.)logit_scale$/,
    when: ({ shape, beside }) => shape.length === 3 && beside('qkv.weight') !== undefined,
    facts: { role: 'scale', initial: Math.log(10) },
    source: 'timm swin_transformer_v2.py, transformers modeling_swinv2.py: ln 10',
  },
  {
    match: /(^|[._])(logit_bias|t_prime)$/,
    facts: unknown,
    doubt: 'SigLIP starts it at -10 or at 0, by its config',
    source: 'open_clip, transformers modeling_siglip.py',
  },
  {
    match: /(^|[._])(q_bias|v_bias)$/,
    facts: { role: 'bias', initial: 0 },
    source: 'timm beit.py, swin_transformer_v2.py: torch.zeros',
  },
  {
    match:
      /(^|[._])(gamma_?\d*|gammas?|lambda_?\w*|(layer|res|residual|layer_)_?scale\w*|ls\w*\.\w+|scale_(mlp|attn)|re_?weight)$/,
    when: ({ shape, beside, path }) =>
      isVector(shape) && beside('beta') === undefined && !inferRole(path, shape).startsWith('norm'),
    facts: { role: 'scale' },
    doubt: 'a layer scale starts at a number of the model’s config, from 1e-6 to 1',
    source: 'timm (convnext.py, cait.py, beit.py), transformers (modeling_convnext.py, modeling_dinov2.py)',
  },
  {
    match: /(^|\.)gain$/,
    when: ({ shape, beside }) => isVector(shape) && beside('weight') !== undefined,
    facts: { role: 'scale', initial: 1 },
    source: 'timm std_conv.py, ScaledStdConv2d: torch.ones',
  },
  {
    match: /(^|\.)alpha$/,
    when: ({ shape, beside }) => String(beside('beta')) === String(shape),
    facts: { role: 'norm-scale' },
    source: 'timm mlp_mixer.py, Affine: alpha 1, beta 0',
  },
  {
    match: /(^|\.)gamma$/,
    when: ({ beside }) => beside('beta') !== undefined,
    facts: { role: 'norm-scale' },
    source: 'keras.layers.BatchNormalization, LayerNormalization',
  },
  {
    match: /(^|\.)beta$/,
    when: ({ beside }) => beside('gamma') !== undefined,
    facts: { role: 'norm-bias' },
    source: 'keras.layers.BatchNormalization, LayerNormalization',
  },
  {
    match: /(^|\.)weight$/,
    when: ({ shape, beside }) => shape.length >= 2 && String(beside('bias')) === String(shape),
    facts: { role: 'norm-scale' },
    source: 'torch.nn.LayerNorm over several axes',
  },
  {
    match: /(^|\.)bias$/,
    when: ({ shape, beside }) => shape.length >= 2 && String(beside('weight')) === String(shape),
    facts: { role: 'norm-bias' },
    source: 'torch.nn.LayerNorm over several axes',
  },
  // Weights.
  { match: /./, when: isExperts, facts: expertFacts, source: 'transformers, fused experts' },
  {
    match: /(^|\.)(query|key|value|out)\.kernel$/,
    when: ({ shape }) => shape.length === 3,
    facts: flaxAttention,
    source: 'flax.linen.MultiHeadDotProductAttention: DenseGeneral draws a matrix of two axes',
  },
  {
    match: /(^|\.)(\w+_)?kernel$/,
    when: ({ shape }) => shape.length >= 2,
    facts: { role: 'weight', layout: 'in-out' },
    source: 'flax.linen and keras.layers: [...kernel, in, out]',
  },
  {
    match: /(^|\.)(c_attn|c_proj|c_fc|q_attn)\.weight$/,
    when: ({ any, shape }) => shape.length === 2 && any(/^conv1d$/),
    facts: { role: 'weight', layout: 'in-out' },
    source: 'transformers.pytorch_utils.Conv1D',
  },
  {
    match: /(^|\.)bias_[kv]$/,
    when: ({ beside }) => (beside('in_proj_weight') ?? beside('q_proj_weight')) !== undefined,
    facts: unknown,
    doubt: 'torch.nn.MultiheadAttention draws it from xavier_normal_; torch_default does so, too',
    source: 'torch.nn.MultiheadAttention',
  },
  {
    match: /(^|\.)(bias|\w*_bias)$/,
    when: ({ shape, path }) => shape.length >= 2 && /(^|\.)bias$|(proj|up|down|gate)\w*_bias$/.test(path),
    facts: { role: 'bias' },
    source: 'flax.linen attention [heads, width], keras GRU [2, units], biases of fused experts',
  },
]

/** Whether a one-axis weight can only be told from its neighbours. */
const isPlainVectorWeight = (path: string): boolean => /(^|\.)(\d+|\w+)\.weight$|^weight$/.test(path)

/** What the name and shape of a tensor say: a library's convention, or `inferRole` with its doubt. */
export function factsByName(tensor: NamedTensor): Named {
  const { path, shape } = tensor
  for (const { match, when, facts, doubt, source } of conventions) {
    if (!match.test(path) || when?.(tensor) === false) continue
    return {
      facts: typeof facts === 'function' ? facts(tensor) : facts,
      ...(doubt === undefined ? {} : { doubt: `${doubt} (${source})` }),
    }
  }
  return inferred(tensor, path, shape)
}

function inferred(tensor: NamedTensor, path: string, shape: readonly number[]): Named {
  const role = inferRole(path, shape)
  const last = path.split('.').at(-1) ?? ''
  switch (role) {
    case 'weight':
      if (/(^|_)(weight|kernel)(_([ih]h|hr)\w*)?$/.test(last)) return { facts: { role } }
      return {
        facts: { role },
        doubt: 'it is taken for a weight for its axes; its name is of no convention that is known',
      }
    case 'norm-scale': {
      const named = inferRole(path, shape, new Set()) === 'norm-scale'
      const hasBias = tensor.beside('bias') !== undefined
      if (named || hasBias || !isPlainVectorWeight(path)) return { facts: { role } }
      if (product(shape) === 1) return { facts: { role: 'scale', initial: 0.25, module: 'PReLU' } }
      return {
        facts: { role },
        doubt: 'a vector called weight without a bias is the scale of an RMSNorm, 1, or the slope of a PReLU, 0.25',
      }
    }
    case 'scale':
      return { facts: { role, initial: 0.25, module: 'PReLU' } }
    case 'bias':
      // A norm may have no name of its own (downsample.1): its weight has one axis.
      if (tensor.beside('weight')?.length === 1 && last === 'bias') return { facts: { role: 'norm-bias' } }
      return loneBias(tensor, last)
        ? {
            facts: { role, initial: 0 },
            doubt: 'no weight is beside it: a bias of the model itself, which most libraries start at 0',
          }
        : { facts: { role } }
    case 'unknown':
      return {
        facts: { role: /scale|alpha|slope|^g$/i.test(last) ? 'scale' : 'unknown' },
        doubt: isVector(shape)
          ? 'it has one axis, and its name is of no convention that is known'
          : 'its name is of no convention that is known',
      }
    default:
      return { facts: { role } }
  }
}

const normedWeights = [
  'parametrizations.weight.original1',
  'parametrizations.weight.original',
  'weight_v',
  'weight_orig',
]

/** A bias in whose layer there is no weight. */
function loneBias({ beside }: NamedTensor, last: string): boolean {
  if (!/bias$/.test(last) || last === 'in_proj_bias') return false
  return ![last.replace(/bias$/, 'weight'), 'kernel', ...normedWeights].some((other) => beside(other) !== undefined)
}

/** A function that says what each of these tensors is, by its name and its place among the others. */
export function namingOf(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
): (name: string, shape: readonly number[]) => Named {
  const dotted = (name: string): string => name.replace(/:0$/, '').replaceAll('/', '.')
  const byPath = new Map(tensors.map(({ name, shape }) => [dotted(name), shape]))
  const paths = [...byPath.keys(), ...(usesConv1d(byPath) ? ['conv1d'] : [])]
  const answers = new Map<string, boolean>()
  const any = (pattern: RegExp): boolean => {
    const known = answers.get(pattern.source)
    if (known !== undefined) return known
    const found = paths.some((path) => pattern.test(path))
    answers.set(pattern.source, found)
    return found
  }
  return (name, shape) => {
    const path = dotted(name)
    const prefix = path.slice(0, path.lastIndexOf('.') + 1)
    return factsByName({ name, shape, path, any, beside: (other) => byPath.get(prefix + other) })
  }
}

/**
 * transformers' Conv1D keeps [in, out] under names that nn.Linear also has: a GPT-2's fused projection is 3 times as wide as
 * it is high.
 */
function usesConv1d(byPath: ReadonlyMap<string, readonly number[]>): boolean {
  return [...byPath].some(([path, [rows = 0, columns = 0]]) => path.endsWith('c_attn.weight') && columns === 3 * rows)
}
