import { gemmaRecipe, llamaRecipe } from '../../recipes/transformers.js'
import type { ConfigReader } from './config-reader.js'
import type { Family } from './types.js'

/** What the members of the family do differently, and the defaults of their config classes. */
interface Variant {
  /** Prefix of the class names: 'Llama', 'Qwen2', ... */
  readonly className: string
  readonly vocabulary: number
  readonly width: number
  readonly inner: number
  readonly layers: number
  readonly heads: number
  /** Key/value heads where the config does not say; undefined: as many as heads. */
  readonly keyValueHeads?: number
  /** Width of a head where the config does not say; undefined: width / heads. */
  readonly headWidth?: number
  /** Biases of q, k, v: a fixed answer, or the config's attention_bias. o has one only by attention_bias. */
  readonly queryBias: boolean | 'attention_bias'
  /** An RMSNorm over each head of q and k. */
  readonly headNorms?: boolean
  readonly mlpBias?: boolean
  readonly tied: boolean
  readonly paddingIndex?: number
  /** Gemma's RMSNorm multiplies by 1 + weight. */
  readonly zeroCentredNorm?: boolean
}

/**
 * Llama and its kin: pre-norm blocks of grouped-query attention and a gated MLP. Names, shapes and order of transformers'
 * modeling_llama.py, modeling_mistral.py, modeling_qwen2.py, modeling_qwen3.py, modeling_gemma.py.
 */
function family(variant: Variant): Family {
  const { className } = variant
  const classes = {
    model: `${className}Model`,
    causal: `${className}ForCausalLM`,
    sequence: `${className}ForSequenceClassification`,
    token: `${className}ForTokenClassification`,
  }
  return {
    heads: Object.values(classes),
    read(config, head, list) {
      const width = config.integer('hidden_size', variant.width)
      const inner = config.integer('intermediate_size', variant.inner)
      const vocabulary = config.integer('vocab_size', variant.vocabulary)
      const layers = config.layers('num_hidden_layers', variant.layers)
      const { queries, keys, headWidth } = readAttention(config, variant, width)
      const outputBias = variant.queryBias === 'attention_bias' && config.boolean('attention_bias', false)
      const queryBias = variant.queryBias === 'attention_bias' ? outputBias : variant.queryBias
      const mlpBias = variant.mlpBias === true && config.boolean('mlp_bias', false)
      const std = config.initializerRange()
      const prefix = head === classes.model ? '' : 'model.'

      list.embedding(`${prefix}embed_tokens`, vocabulary, width, config.paddingIndex(variant.paddingIndex, vocabulary))
      for (let i = 0; i < layers; i++) {
        const at = `${prefix}layers.${i}`
        list.linear(`${at}.self_attn.q_proj`, width, queries, queryBias)
        list.linear(`${at}.self_attn.k_proj`, width, keys, queryBias)
        list.linear(`${at}.self_attn.v_proj`, width, keys, queryBias)
        list.linear(`${at}.self_attn.o_proj`, queries, width, outputBias)
        if (variant.headNorms === true) {
          list.scale(`${at}.self_attn.q_norm`, headWidth)
          list.scale(`${at}.self_attn.k_norm`, headWidth)
        }
        list.linear(`${at}.mlp.gate_proj`, width, inner, mlpBias)
        list.linear(`${at}.mlp.up_proj`, width, inner, mlpBias)
        list.linear(`${at}.mlp.down_proj`, inner, width, mlpBias)
        list.scale(`${at}.input_layernorm`, width)
        list.scale(`${at}.post_attention_layernorm`, width)
      }
      list.scale(`${prefix}norm`, width)
      if (head === classes.causal) {
        if (config.boolean('tie_word_embeddings', variant.tied)) list.tie('lm_head.weight', 'model.embed_tokens.weight')
        else list.linear('lm_head', width, vocabulary, false)
      }
      if (head === classes.sequence) list.linear('score', width, config.labels(), false)
      if (head === classes.token) list.linear('score', width, config.labels())
      return variant.zeroCentredNorm === true ? gemmaRecipe({ std }) : llamaRecipe({ std })
    },
  }
}

function readAttention(
  config: ConfigReader,
  variant: Variant,
  width: number,
): { queries: number; keys: number; headWidth: number } {
  const heads = config.integer('num_attention_heads', variant.heads)
  // null means as many as heads; the default of an absent key is the class's own.
  const ownDefault = config.isNull('num_key_value_heads') ? undefined : variant.keyValueHeads
  const keyValueHeads = config.integer('num_key_value_heads', ownDefault ?? heads)
  const fixedWidth = config.value('head_dim') === undefined ? variant.headWidth : config.integer('head_dim', 1)
  if (fixedWidth === undefined) config.divisible(width, heads, 'hidden_size', 'num_attention_heads')
  const headWidth = fixedWidth ?? width / heads
  config.divisible(heads, keyValueHeads, 'num_attention_heads', 'num_key_value_heads')
  return { queries: heads * headWidth, keys: keyValueHeads * headWidth, headWidth }
}

// Defaults: configuration_<name>.py of transformers. Pure calls: a bundle that reads no config drops them.

export const llama: Family = /* @__PURE__ */ family({
  className: 'Llama',
  vocabulary: 32000,
  width: 4096,
  inner: 11008,
  layers: 32,
  heads: 32,
  queryBias: 'attention_bias',
  mlpBias: true,
  tied: false,
})

export const mistral: Family = /* @__PURE__ */ family({
  className: 'Mistral',
  vocabulary: 32000,
  width: 4096,
  inner: 14336,
  layers: 32,
  heads: 32,
  keyValueHeads: 8,
  queryBias: false,
  tied: false,
})

export const qwen2: Family = /* @__PURE__ */ family({
  className: 'Qwen2',
  vocabulary: 151936,
  width: 4096,
  inner: 22016,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  queryBias: true,
  tied: false,
})

export const qwen3: Family = /* @__PURE__ */ family({
  className: 'Qwen3',
  vocabulary: 151936,
  width: 4096,
  inner: 22016,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  headWidth: 128,
  queryBias: 'attention_bias',
  headNorms: true,
  tied: false,
})

export const gemma: Family = /* @__PURE__ */ family({
  className: 'Gemma',
  vocabulary: 256000,
  width: 3072,
  inner: 24576,
  layers: 28,
  heads: 16,
  keyValueHeads: 16,
  headWidth: 256,
  queryBias: 'attention_bias',
  tied: true,
  paddingIndex: 0,
  zeroCentredNorm: true,
})
