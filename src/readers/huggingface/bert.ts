import { bertRecipe } from '../../recipes/transformers.js'
import { encoderLayers, lmHead, taskHead } from './bert-parts.js'
import type { Family } from './types.js'

/** Classes with a pooler: a dense layer over the first token. */
const pooled = [
  'BertModel',
  'BertForPreTraining',
  'BertForNextSentencePrediction',
  'BertForSequenceClassification',
  'BertForMultipleChoice',
]

/**
 * BERT. Names, shapes and order of transformers' modeling_bert.py; the decoder of the masked-language-model head shares the
 * word embeddings, its bias is the head's own. bert-base: 109,482,240 elements (BertModel).
 */
export const bert: Family = {
  heads: [
    'BertModel',
    'BertForMaskedLM',
    'BertForPreTraining',
    'BertLMHeadModel',
    'BertForNextSentencePrediction',
    'BertForSequenceClassification',
    'BertForTokenClassification',
    'BertForQuestionAnswering',
    'BertForMultipleChoice',
  ],
  read(config, head, list) {
    const width = config.integer('hidden_size', 768)
    const vocabulary = config.integer('vocab_size', 30522)
    const prefix = head === 'BertModel' ? '' : 'bert.'
    config.only('position_embedding_type', 'absolute')
    config.only('add_cross_attention', false)
    list.embedding(`${prefix}embeddings.word_embeddings`, vocabulary, width, config.paddingIndex(0, vocabulary))
    list.embedding(`${prefix}embeddings.position_embeddings`, config.integer('max_position_embeddings', 512), width)
    list.embedding(`${prefix}embeddings.token_type_embeddings`, config.integer('type_vocab_size', 2), width)
    list.layerNorm(`${prefix}embeddings.LayerNorm`, width)
    encoderLayers(config, list, `${prefix}encoder.layer`, width)
    if (pooled.includes(head)) list.linear(`${prefix}pooler.dense`, width, width)
    const words = `${prefix}embeddings.word_embeddings.weight`
    const tied = config.boolean('tie_word_embeddings', true)
    switch (head) {
      case 'BertForMaskedLM':
      case 'BertLMHeadModel':
      case 'BertForPreTraining':
        lmHead(list, {
          at: 'cls.predictions',
          transform: 'transform.',
          norm: 'LayerNorm',
          width,
          vocabulary,
          words,
          tied,
        })
        if (head === 'BertForPreTraining') list.linear('cls.seq_relationship', width, 2)
        break
      case 'BertForNextSentencePrediction':
        list.linear('cls.seq_relationship', width, 2)
        break
      default:
        taskHead(config, list, head, width)
    }
    return bertRecipe({ std: config.initializerRange() })
  },
}
