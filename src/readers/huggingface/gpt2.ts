import { gpt2Recipe } from '../../recipes/gpt2.js'
import type { Family } from './types.js'

/**
 * GPT-2: names, shapes and order of transformers' classes (modeling_gpt2.py). Its Conv1D weights are [in, out]; lm_head
 * shares wte. 124M: 148 parameters, 124,439,808 elements.
 */
export const gpt2: Family = {
  heads: ['GPT2Model', 'GPT2LMHeadModel', 'GPT2ForSequenceClassification', 'GPT2ForTokenClassification'],
  read(config, head, list) {
    const layers = config.layers(['num_hidden_layers', 'n_layer'], 12)
    const width = config.integer(['hidden_size', 'n_embd'], 768)
    const positions = config.integer(['max_position_embeddings', 'n_positions'], 1024)
    const vocabulary = config.integer('vocab_size', 50257)
    const inner = config.integer('n_inner', 4 * width)
    const std = config.positive('initializer_range', 0.02)
    // The number of heads changes no shape: a description without it is taken as it is.
    const heads = config.integer(['num_attention_heads', 'n_head'], 1)
    config.divisible(width, heads, 'n_embd', 'n_head')
    config.only('add_cross_attention', false)
    const prefix = head === 'GPT2Model' ? '' : 'transformer.'

    // transformers' Conv1D: weight [in, out].
    const projection = (name: string, inputs: number, outputs: number): void => {
      list.add(`${name}.weight`, [inputs, outputs], { role: 'weight', layout: 'in-out' })
      list.add(`${name}.bias`, [outputs], { role: 'bias' })
    }
    list.embedding(`${prefix}wte`, vocabulary, width)
    list.embedding(`${prefix}wpe`, positions, width)
    for (let i = 0; i < layers; i++) {
      const at = `${prefix}h.${i}`
      list.layerNorm(`${at}.ln_1`, width)
      projection(`${at}.attn.c_attn`, width, 3 * width)
      projection(`${at}.attn.c_proj`, width, width)
      list.layerNorm(`${at}.ln_2`, width)
      projection(`${at}.mlp.c_fc`, width, inner)
      projection(`${at}.mlp.c_proj`, inner, width)
    }
    list.layerNorm(`${prefix}ln_f`, width)
    if (head === 'GPT2LMHeadModel') {
      if (config.boolean('tie_word_embeddings', true)) list.tie('lm_head.weight', `${prefix}wte.weight`)
      else list.linear('lm_head', width, vocabulary, false)
    }
    if (head === 'GPT2ForSequenceClassification') list.linear('score', width, config.labels(), false)
    if (head === 'GPT2ForTokenClassification') list.linear('classifier', width, config.labels())
    const rules = gpt2Recipe({ layers, std })
    // A range of 0 holds for the projections alone in transformers 5; the other layers then have its usual 0.02.
    if (config.transformers === 4 || std > 0) return rules
    const usual = {
      initializer: 'normal' as const,
      config: { std: 0.02 },
      citation: 'transformers modeling_utils.py, _init_weights',
    }
    return [
      { match: { role: 'embedding' }, ...usual },
      { match: '{lm_head,score,classifier}.weight', ...usual },
      ...rules,
    ]
  },
}
