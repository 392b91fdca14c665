import { robertaRecipe } from '../../recipes/transformers.js'
import { encoderLayers, lmHead, taskHead } from './bert-parts.js'
import type { Family } from './types.js'

/**
 * RoBERTa: BERT's blocks, a padding row in both word and position embeddings, a head of dense layers for sequences. Names,
 * shapes and order of transformers' modeling_roberta.py. roberta-base: 124,645,632 elements (RobertaModel).
 */
export const roberta: Family = {
  heads: [
    'RobertaModel',
    'RobertaForMaskedLM',
    'RobertaForCausalLM',
    'RobertaForSequenceClassification',
    'RobertaForTokenClassification',
    'RobertaForQuestionAnswering',
    'RobertaForMultipleChoice',
  ],
  read(config, head, list) {
    const width = config.integer('hidden_size', 768)
    const vocabulary = config.integer('vocab_size', 50265)
    const positions = config.integer('max_position_embeddings', 512)
    const prefix = head === 'RobertaModel' ? '' : 'roberta.'
    config.only('position_embedding_type', 'absolute')
    config.only('add_cross_attention', false)
    list.embedding(`${prefix}embeddings.word_embeddings`, vocabulary, width, config.paddingIndex(1, vocabulary))
    const positionTable = (): void =>
      list.embedding(`${prefix}embeddings.position_embeddings`, positions, width, config.paddingIndex(1, positions))
    // transformers 5 makes the table of positions last.
    if (config.transformers === 4) positionTable()
    list.embedding(`${prefix}embeddings.token_type_embeddings`, config.integer('type_vocab_size', 2), width)
    list.layerNorm(`${prefix}embeddings.LayerNorm`, width)
    if (config.transformers === 5) positionTable()
    encoderLayers(config, list, `${prefix}encoder.layer`, width)
    if (head === 'RobertaModel' || head === 'RobertaForMultipleChoice') {
      list.linear(`${prefix}pooler.dense`, width, width)
    }
    if (head === 'RobertaForMaskedLM' || head === 'RobertaForCausalLM') {
      const words = `${prefix}embeddings.word_embeddings.weight`
      const tied = config.boolean('tie_word_embeddings', true)
      lmHead(list, { at: 'lm_head', transform: '', norm: 'layer_norm', width, vocabulary, words, tied })
    } else if (head === 'RobertaForSequenceClassification') {
      list.linear('classifier.dense', width, width)
      list.linear('classifier.out_proj', width, config.labels())
    } else taskHead(config, list, head, width)
    return robertaRecipe({ std: config.initializerRange() })
  },
}
