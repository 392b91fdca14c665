import { whisperRecipe } from '../../recipes/whisper.js'
import type { Family } from './types.js'

/**
 * Whisper: two convolutions and a stack of encoder blocks with fixed sinusoidal positions, and decoder blocks that attend
 * to it; k has no bias. Names, shapes and order of transformers' modeling_whisper.py; proj_out shares the token
 * embeddings. tiny: 37,760,640 elements, the 576,000 of the fixed positions included.
 */
export const whisper: Family = {
  heads: ['WhisperModel', 'WhisperForConditionalGeneration'],
  read(config, head, list) {
    const width = config.integer(['hidden_size', 'd_model'], 384)
    const vocabulary = config.integer('vocab_size', 51865)
    const prefix = head === 'WhisperModel' ? '' : 'model.'
    // transformers 5 prefers the range that other models have, where a config gives it.
    const ownStd = config.positive('init_std', 0.02)
    const hasRange = config.transformers === 5 && config.value('initializer_range') !== undefined
    const std = hasRange ? config.initializerRange() : ownStd
    if (width % 2 !== 0) config.fail(`d_model must be even for sinusoidal positions, but found ${width}.`)

    const attention = (at: string): void => {
      list.linear(`${at}.k_proj`, width, width, false)
      for (const name of ['v_proj', 'q_proj', 'out_proj']) list.linear(`${at}.${name}`, width, width)
      list.layerNorm(`${at}_layer_norm`, width)
    }
    const stack = (side: 'encoder' | 'decoder'): void => {
      const layers = config.layers(side === 'encoder' ? ['num_hidden_layers', 'encoder_layers'] : 'decoder_layers', 4)
      const inner = config.integer(`${side}_ffn_dim`, 1536)
      const aliases = side === 'encoder' ? ['num_key_value_heads', 'num_attention_heads'] : []
      const heads = config.integer([...aliases, `${side}_attention_heads`], 6)
      config.divisible(width, heads, 'd_model', `${side}_attention_heads`)
      for (let i = 0; i < layers; i++) {
        const at = `${prefix}${side}.layers.${i}`
        attention(`${at}.self_attn`)
        if (side === 'decoder') attention(`${at}.encoder_attn`)
        list.linear(`${at}.fc1`, width, inner)
        list.linear(`${at}.fc2`, inner, width)
        list.layerNorm(`${at}.final_layer_norm`, width)
      }
      list.layerNorm(`${prefix}${side}.layer_norm`, width)
    }
    list.convolution(`${prefix}encoder.conv1`, config.integer('num_mel_bins', 80), width, [3])
    list.convolution(`${prefix}encoder.conv2`, width, width, [3])
    list.embedding(`${prefix}encoder.embed_positions`, config.integer('max_source_positions', 1500), width)
    stack('encoder')
    const tokens = `${prefix}decoder.embed_tokens`
    list.embedding(tokens, vocabulary, width, config.paddingIndex(50256, vocabulary))
    list.embedding(`${prefix}decoder.embed_positions`, config.integer('max_target_positions', 448), width)
    stack('decoder')
    if (head === 'WhisperForConditionalGeneration') {
      if (config.boolean('tie_word_embeddings', true)) list.tie('proj_out.weight', `${tokens}.weight`)
      else list.linear('proj_out', width, vocabulary, false)
    }
    return whisperRecipe({ std })
  },
}
