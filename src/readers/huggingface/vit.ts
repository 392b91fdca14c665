import { deitRecipe, vitRecipe } from '../../recipes/vit.js'
import type { ConfigReader } from './config-reader.js'
import type { ParameterList } from './parameter-list.js'
import type { Family } from './types.js'

/**
 * ViT and DeiT: patches as a convolution, class (and distillation) token and positions as parameters of their own, pre-norm
 * blocks. Names, shapes and order of transformers' modeling_vit.py and modeling_deit.py. ViT-B/16 with 1000 classes:
 * 86,567,656 elements.
 */
function trunk(config: ConfigReader, list: ParameterList, prefix: string, tokens: readonly string[]): number {
  const width = config.integer('hidden_size', 768)
  const inner = config.integer('intermediate_size', 3072)
  const layers = config.layers('num_hidden_layers', 12)
  const channels = config.integer('num_channels', 3)
  const [height, breadth] = pair(config, 'image_size', 224)
  const [patchHeight, patchBreadth] = pair(config, 'patch_size', 16)
  const bias = config.boolean('qkv_bias', true)
  config.divisible(width, config.integer('num_attention_heads', 12), 'hidden_size', 'num_attention_heads')
  // As the library: what does not fill a patch is left out.
  const patches = Math.floor(height / patchHeight) * Math.floor(breadth / patchBreadth)
  if (patches < 1) config.fail('image_size must hold at least one patch of patch_size.')

  for (const token of tokens) list.add(`${prefix}embeddings.${token}`, [1, 1, width], { role: 'embedding' })
  list.add(`${prefix}embeddings.position_embeddings`, [1, patches + tokens.length, width], { role: 'embedding' })
  list.convolution(`${prefix}embeddings.patch_embeddings.projection`, channels, width, [patchHeight, patchBreadth])
  for (let i = 0; i < layers; i++) {
    const at = `${prefix}encoder.layer.${i}`
    for (const name of ['query', 'key', 'value']) {
      list.linear(`${at}.attention.attention.${name}`, width, width, bias)
    }
    list.linear(`${at}.attention.output.dense`, width, width)
    list.linear(`${at}.intermediate.dense`, width, inner)
    list.linear(`${at}.output.dense`, inner, width)
    list.layerNorm(`${at}.layernorm_before`, width)
    list.layerNorm(`${at}.layernorm_after`, width)
  }
  list.layerNorm(`${prefix}layernorm`, width)
  return width
}

/** A number for both sides, or [height, width]. */
function pair(config: ConfigReader, key: string, fallback: number): [number, number] {
  const value = config.value(key)
  if (!Array.isArray(value)) {
    const side = config.integer(key, fallback)
    return [side, side]
  }
  const [first, second] = value
  const fits = (side: unknown): side is number => typeof side === 'number' && Number.isSafeInteger(side) && side >= 1
  if (value.length === 2 && fits(first) && fits(second) && first < 2 ** 31 && second < 2 ** 31) return [first, second]
  return config.fail(`${key} must be an integer from 1 to 2^31 - 1 or two of them, but found ${JSON.stringify(value)}.`)
}

export const vit: Family = {
  heads: ['ViTModel', 'ViTForImageClassification'],
  read(config, head, list) {
    const bare = head === 'ViTModel'
    const width = trunk(config, list, bare ? '' : 'vit.', ['cls_token'])
    if (bare) list.linear('pooler.dense', width, config.integer('pooler_output_size', width))
    else list.linear('classifier', width, config.labels())
    return vitRecipe({ std: config.positive('initializer_range', 0.02) })
  },
}

export const deit: Family = {
  heads: ['DeiTModel', 'DeiTForImageClassification', 'DeiTForImageClassificationWithTeacher'],
  read(config, head, list) {
    const bare = head === 'DeiTModel'
    const width = trunk(config, list, bare ? '' : 'deit.', ['cls_token', 'distillation_token'])
    if (bare) list.linear('pooler.dense', width, config.integer('pooler_output_size', width))
    else if (head === 'DeiTForImageClassification') list.linear('classifier', width, config.labels())
    else {
      list.linear('cls_classifier', width, config.labels())
      list.linear('distillation_classifier', width, config.labels())
    }
    return deitRecipe({ std: config.positive('initializer_range', 0.02) })
  },
}
