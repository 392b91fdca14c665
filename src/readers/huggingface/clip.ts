import { type ClipTowerSettings, clipRecipe } from '../../recipes/clip.js'
import type { RecipeRule } from '../../recipes/types.js'
import type { ConfigReader } from './config-reader.js'
import type { ParameterList } from './parameter-list.js'
import type { Family } from './types.js'

/**
 * CLIP: a text and a vision tower of pre-norm blocks, and their projections. Names (pre_layrnorm is the library's own
 * spelling), shapes and order of transformers' modeling_clip.py. ViT-B/32: 151,277,313 elements.
 */
export const clip: Family = {
  heads: [
    'CLIPModel',
    'CLIPTextModel',
    'CLIPTextModelWithProjection',
    'CLIPVisionModel',
    'CLIPVisionModelWithProjection',
  ],
  read(config, head, list) {
    const both = head === 'CLIPModel'
    // In transformers 5 a tower alone is the model itself, and its names have no prefix.
    const bare = config.transformers === 5 && (head === 'CLIPTextModel' || head === 'CLIPVisionModel')
    const text = towerConfig(config, 'text_config')
    const vision = towerConfig(config, 'vision_config')
    const own = both ? config : head.includes('Text') ? text : vision
    const projection = own.integer('projection_dim', 512)
    const factor = own.positive('initializer_factor', 1)
    const logitScale = config.finite('logit_scale_init_value', 2.6592)
    let textSettings: ClipTowerSettings = {}
    let visionSettings: ClipTowerSettings = {}
    if (both) list.add('logit_scale', [], { role: 'norm-scale' })
    if (both || head.includes('Text')) textSettings = textTower(text, list, bare ? '' : 'text_model.')
    if (both || head.includes('Vision')) visionSettings = visionTower(vision, list, bare ? '' : 'vision_model.')
    if (both || head === 'CLIPVisionModelWithProjection') {
      list.linear('visual_projection', visionSettings.width!, projection, false)
    }
    if (both || head === 'CLIPTextModelWithProjection') {
      list.linear('text_projection', textSettings.width!, projection, false)
    }
    const rules = clipRecipe({ text: textSettings, vision: visionSettings, factor, logitScale })
    return bare ? rulesOfTower(rules, head === 'CLIPTextModel' ? 'text' : 'vision') : rules
  },
}

/** A text tower with a config of its own. */
export const clipText: Family = {
  heads: ['CLIPTextModel', 'CLIPTextModelWithProjection'],
  // Not a spread of clip, which no bundler can drop.
  read: (config, head, list) => clip.read(config, head, list),
}
/** A vision tower with a config of its own. */
export const clipVision: Family = {
  heads: ['CLIPVisionModel', 'CLIPVisionModelWithProjection'],
  read: (config, head, list) => clip.read(config, head, list),
}

/** The rules of one tower, for one whose names have no prefix. */
function rulesOfTower(rules: readonly RecipeRule[], kind: 'text' | 'vision'): RecipeRule[] {
  const prefix = /^\{\*\.,\}(text|vision)_model\./
  return rules.flatMap((rule) => {
    if (typeof rule.match !== 'string') return [rule]
    const [, tower = kind] = prefix.exec(rule.match) ?? []
    return tower === kind ? [{ ...rule, match: rule.match.replace(prefix, '') }] : []
  })
}

/** A tower's part of the config of both, or the whole of a config of its own. */
function towerConfig(config: ConfigReader, key: string): ConfigReader {
  if (config.value('model_type') !== 'clip') return config
  // Old configs hold a second copy, which goes before the first.
  const copy = `${key}_dict`
  return config.child(config.value(copy) === undefined ? key : copy)
}

function textTower(config: ConfigReader, list: ParameterList, at: string): ClipTowerSettings {
  const width = config.integer('hidden_size', 512)
  const layers = config.layers('num_hidden_layers', 12)
  list.embedding(`${at}embeddings.token_embedding`, config.integer('vocab_size', 49408), width)
  list.embedding(`${at}embeddings.position_embedding`, config.integer('max_position_embeddings', 77), width)
  blocks(config, list, at, width, layers, { inner: 2048, heads: 8 })
  list.layerNorm(`${at}final_layer_norm`, width)
  return { width, layers, factor: config.positive('initializer_factor', 1) }
}

function visionTower(config: ConfigReader, list: ParameterList, at: string): ClipTowerSettings {
  const width = config.integer('hidden_size', 768)
  const layers = config.layers('num_hidden_layers', 12)
  const patch = config.integer('patch_size', 32)
  const side = Math.floor(config.integer('image_size', 224) / patch)
  if (side < 1) config.fail('image_size must hold at least one patch of patch_size.')
  list.add(`${at}embeddings.class_embedding`, [width], { role: 'embedding' })
  list.convolution(`${at}embeddings.patch_embedding`, config.integer('num_channels', 3), width, [patch, patch], false)
  list.embedding(`${at}embeddings.position_embedding`, side ** 2 + 1, width)
  list.layerNorm(`${at}pre_layrnorm`, width)
  blocks(config, list, at, width, layers, { inner: 3072, heads: 12 })
  list.layerNorm(`${at}post_layernorm`, width)
  const factor = config.positive('initializer_factor', 1)
  return { width, layers, factor, std: config.positive('initializer_range', 0.02) }
}

function blocks(
  config: ConfigReader,
  list: ParameterList,
  tower: string,
  width: number,
  layers: number,
  defaults: { readonly inner: number; readonly heads: number },
): void {
  const inner = config.integer('intermediate_size', defaults.inner)
  const heads = config.integer('num_attention_heads', defaults.heads)
  config.divisible(width, heads, 'hidden_size', 'num_attention_heads')
  for (let i = 0; i < layers; i++) {
    const at = `${tower}encoder.layers.${i}`
    for (const name of ['k_proj', 'v_proj', 'q_proj', 'out_proj']) list.linear(`${at}.self_attn.${name}`, width, width)
    list.layerNorm(`${at}.layer_norm1`, width)
    list.linear(`${at}.mlp.fc1`, width, inner)
    list.linear(`${at}.mlp.fc2`, inner, width)
    list.layerNorm(`${at}.layer_norm2`, width)
  }
}
