import type { ConfigReader } from './config-reader.js'
import type { ParameterList } from './parameter-list.js'

/** The post-norm encoder blocks that BERT and RoBERTa share. */
export function encoderLayers(config: ConfigReader, list: ParameterList, at: string, width: number): void {
  const layers = config.layers('num_hidden_layers', 12)
  const inner = config.integer('intermediate_size', 3072)
  config.divisible(width, config.integer('num_attention_heads', 12), 'hidden_size', 'num_attention_heads')
  for (let i = 0; i < layers; i++) {
    for (const name of ['query', 'key', 'value']) list.linear(`${at}.${i}.attention.self.${name}`, width, width)
    list.linear(`${at}.${i}.attention.output.dense`, width, width)
    list.layerNorm(`${at}.${i}.attention.output.LayerNorm`, width)
    list.linear(`${at}.${i}.intermediate.dense`, width, inner)
    list.linear(`${at}.${i}.output.dense`, inner, width)
    list.layerNorm(`${at}.${i}.output.LayerNorm`, width)
  }
}

/** A masked-language-model head: bias, dense, norm, and a decoder that shares the word embeddings and the bias, where it is tied. */
export function lmHead(
  list: ParameterList,
  facts: {
    readonly at: string
    /** 'transform.' for BERT. */
    readonly transform: string
    readonly norm: string
    readonly width: number
    readonly vocabulary: number
    /** Name of the word embeddings. */
    readonly words: string
    readonly tied: boolean
  },
): void {
  const { at, transform, norm, width, vocabulary, words, tied } = facts
  list.add(`${at}.bias`, [vocabulary], { role: 'bias' })
  list.linear(`${at}.${transform}dense`, width, width)
  list.layerNorm(`${at}.${transform}${norm}`, width)
  if (tied) list.tie(`${at}.decoder.weight`, words)
  else list.linear(`${at}.decoder`, width, vocabulary)
  if (tied) list.tie(`${at}.decoder.bias`, `${at}.bias`)
}

/** The last layer of a task's class, after its name; nothing for the bare model. */
export function taskHead(config: ConfigReader, list: ParameterList, head: string, width: number): void {
  if (head.endsWith('QuestionAnswering')) {
    const labels = config.labels()
    // The class itself refuses another number.
    if (head.startsWith('DistilBert') && labels !== 2)
      config.fail(`num_labels must be 2 for ${head}, but found ${labels}.`)
    list.linear('qa_outputs', width, labels)
  } else if (head.endsWith('MultipleChoice')) list.linear('classifier', width, 1)
  else if (head.endsWith('Classification')) list.linear('classifier', width, config.labels())
}
