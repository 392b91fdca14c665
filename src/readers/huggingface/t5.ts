import { t5Recipe } from '../../recipes/t5.js'
import type { Family } from './types.js'

/**
 * T5 and T5 1.1 (gated feed-forward, lm_head of its own). Names, shapes and order of transformers' modeling_t5.py: no
 * biases, RMSNorm, one table of relative positions per stack, in its first block. T5-small: 60,506,624 elements.
 */
export const t5: Family = {
  heads: ['T5Model', 'T5ForConditionalGeneration', 'T5EncoderModel'],
  read(config, head, list) {
    const dModel = config.integer(['hidden_size', 'd_model'], 512)
    const dKv = config.integer(['head_dim', 'd_kv'], 64)
    const dFf = config.integer('d_ff', 2048)
    const numHeads = config.integer(['num_attention_heads', 'num_heads'], 8)
    const layers = config.layers(['num_hidden_layers', 'num_layers'], 6)
    // The library takes the default from num_layers alone, before it looks at other names.
    const decoderLayers = config.layers('num_decoder_layers', config.layers('num_layers', 6))
    const vocabulary = config.integer('vocab_size', 32128)
    const buckets = config.integer('relative_attention_num_buckets', 32)
    const factor = config.positive('initializer_factor', 1)
    // A saved config also holds what follows from feed_forward_proj, and that counts.
    const gated = config.boolean('is_gated_act', isGated(config.value('feed_forward_proj') ?? 'relu'))
    const inner = numHeads * dKv

    const attention = (at: string, kind: string, positions: boolean): void => {
      for (const name of ['q', 'k', 'v']) list.linear(`${at}.${kind}.${name}`, dModel, inner, false)
      list.linear(`${at}.${kind}.o`, inner, dModel, false)
      if (positions) list.embedding(`${at}.${kind}.relative_attention_bias`, buckets, numHeads)
      list.scale(`${at}.layer_norm`, dModel)
    }
    const stack = (name: string, count: number, crossed: boolean): void => {
      list.tie(`${name}.embed_tokens.weight`, 'shared.weight')
      for (let i = 0; i < count; i++) {
        const at = `${name}.block.${i}.layer`
        attention(`${at}.0`, 'SelfAttention', i === 0)
        if (crossed) attention(`${at}.1`, 'EncDecAttention', false)
        const feed = `${at}.${crossed ? 2 : 1}`
        for (const name of gated ? ['wi_0', 'wi_1'] : ['wi']) {
          list.linear(`${feed}.DenseReluDense.${name}`, dModel, dFf, false)
        }
        list.linear(`${feed}.DenseReluDense.wo`, dFf, dModel, false)
        list.scale(`${feed}.layer_norm`, dModel)
      }
      list.scale(`${name}.final_layer_norm`, dModel)
    }
    list.embedding('shared', vocabulary, dModel)
    stack('encoder', layers, false)
    if (head !== 'T5EncoderModel') stack('decoder', decoderLayers, true)
    if (head === 'T5ForConditionalGeneration') {
      // transformers 5 ties T5 1.1's head, too, and takes the setting for a question of scaling.
      if (config.boolean('tie_word_embeddings', true) || config.transformers === 5)
        list.tie('lm_head.weight', 'shared.weight')
      else list.linear('lm_head', dModel, vocabulary, false)
    }
    return t5Recipe({ dModel, dKv, numHeads, dFf, factor })

    function isGated(value: unknown): boolean {
      if (typeof value === 'string' && /^(gated-)?[a-z_]+$/.test(value)) return value.startsWith('gated-')
      return config.fail(`feed_forward_proj must be "relu", "gated-gelu" or such, but found ${JSON.stringify(value)}.`)
    }
  },
}
