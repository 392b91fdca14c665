import { distilbertRecipe } from '../../recipes/transformers.js'
import { taskHead } from './bert-parts.js'
import type { Family } from './types.js'

/**
 * DistilBERT: half of BERT's blocks, no token types, no pooler. Names, shapes and order of transformers'
 * modeling_distilbert.py. distilbert-base-uncased: 66,362,880 elements (DistilBertModel).
 */
export const distilbert: Family = {
  heads: [
    'DistilBertModel',
    'DistilBertForMaskedLM',
    'DistilBertForSequenceClassification',
    'DistilBertForTokenClassification',
    'DistilBertForQuestionAnswering',
    'DistilBertForMultipleChoice',
  ],
  read(config, head, list) {
    const width = config.integer(['hidden_size', 'dim'], 768)
    const inner = config.integer('hidden_dim', 4 * 768)
    const layers = config.layers(['num_hidden_layers', 'n_layers'], 6)
    const vocabulary = config.integer('vocab_size', 30522)
    const positions = config.integer('max_position_embeddings', 512)
    const prefix = head === 'DistilBertModel' ? '' : 'distilbert.'
    config.divisible(width, config.integer(['num_attention_heads', 'n_heads'], 12), 'dim', 'n_heads')
    config.only('sinusoidal_pos_embds', false)
    list.embedding(`${prefix}embeddings.word_embeddings`, vocabulary, width, config.paddingIndex(0, vocabulary))
    list.embedding(`${prefix}embeddings.position_embeddings`, positions, width)
    list.layerNorm(`${prefix}embeddings.LayerNorm`, width)
    for (let i = 0; i < layers; i++) {
      const at = `${prefix}transformer.layer.${i}`
      for (const name of ['q_lin', 'k_lin', 'v_lin', 'out_lin']) list.linear(`${at}.attention.${name}`, width, width)
      list.layerNorm(`${at}.sa_layer_norm`, width)
      list.linear(`${at}.ffn.lin1`, width, inner)
      list.linear(`${at}.ffn.lin2`, inner, width)
      list.layerNorm(`${at}.output_layer_norm`, width)
    }
    if (head === 'DistilBertForMaskedLM') {
      list.linear('vocab_transform', width, width)
      list.layerNorm('vocab_layer_norm', width)
      if (config.boolean('tie_word_embeddings', true)) {
        list.tie('vocab_projector.weight', `${prefix}embeddings.word_embeddings.weight`)
      } else list.add('vocab_projector.weight', [vocabulary, width], { role: 'weight' })
      list.add('vocab_projector.bias', [vocabulary], { role: 'bias' })
    }
    if (head === 'DistilBertForSequenceClassification' || head === 'DistilBertForMultipleChoice') {
      list.linear('pre_classifier', width, width)
    }
    taskHead(config, list, head, width)
    return distilbertRecipe({ std: config.initializerRange() })
  },
}
