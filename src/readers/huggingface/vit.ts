import type { RecipeRule } from '../../recipes/types.js'
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
  const heads = config.integer('num_attention_heads', 12)
  // transformers 5 reads the width of a head, where a config gives it.
  const ownWidth = config.transformers === 5 ? config.value('head_dim') : undefined
  if (ownWidth === undefined) config.divisible(width, heads, 'hidden_size', 'num_attention_heads')
  const attended = heads * (ownWidth === undefined ? width / heads : config.integer('head_dim', 1))
  // As the library: what does not fill a patch is left out.
  const patches = Math.floor(height / patchHeight) * Math.floor(breadth / patchBreadth)
  if (patches < 1) config.fail('image_size must hold at least one patch of patch_size.')

  const [classToken, ...others] = tokens.map((token): [string, number] => [token, 1])
  const positions: [string, number] = ['position_embeddings', patches + tokens.length]
  // transformers 5 makes the positions before the distillation token.
  const tables = config.transformers === 5 ? [positions, ...others] : [...others, positions]
  for (const [name, rows] of [classToken!, ...tables]) {
    list.add(`${prefix}embeddings.${name}`, [1, rows, width], { role: 'embedding' })
  }
  list.convolution(`${prefix}embeddings.patch_embeddings.projection`, channels, width, [patchHeight, patchBreadth])
  const names = layerNames[config.transformers]
  for (let i = 0; i < layers; i++) {
    const at = `${prefix}${names.layers}.${i}`
    for (const name of names.attention) list.linear(`${at}.attention.${name}`, width, attended, bias)
    list.linear(`${at}.attention.${names.output}`, attended, width)
    const norms = (): void => {
      list.layerNorm(`${at}.layernorm_before`, width)
      list.layerNorm(`${at}.layernorm_after`, width)
    }
    // transformers 5 makes the norms before the feed-forward layers.
    if (config.transformers === 5) norms()
    list.linear(`${at}.${names.inner}`, width, inner)
    list.linear(`${at}.${names.outer}`, inner, width)
    if (config.transformers === 4) norms()
  }
  list.layerNorm(`${prefix}layernorm`, width)
  return width
}

/** What the layers of a block are called in each major version of transformers. */
const layerNames = {
  5: {
    layers: 'layers',
    attention: ['q_proj', 'k_proj', 'v_proj'],
    output: 'o_proj',
    inner: 'mlp.fc1',
    outer: 'mlp.fc2',
  },
  4: {
    layers: 'encoder.layer',
    attention: ['attention.query', 'attention.key', 'attention.value'],
    output: 'output.dense',
    inner: 'intermediate.dense',
    outer: 'output.dense',
  },
} as const

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

/**
 * The recipe of the library's version: transformers 4 truncates every distribution of a weight, 5 those of tokens and
 * positions only.
 */
function vitRules(config: ConfigReader, recipe: typeof vitRecipe): readonly RecipeRule[] {
  const range = config.positive('initializer_range', 0.02)
  // A range of 0 leaves nothing to truncate.
  const rules =
    range > 0
      ? recipe({ std: range })
      : recipe().map((rule) => (rule.initializer === 'trunc_normal' ? zero(rule) : rule))
  if (config.transformers === 4) return rules
  const own = { initializer: 'normal', config: { std: config.initializerRange() } } as const
  return rules.map((rule) =>
    typeof rule.match !== 'string' && rule.match.role === 'weight' ? { ...rule, ...own } : rule,
  )
}

const zero = ({ match, citation }: RecipeRule): RecipeRule => ({ match, initializer: 'zeros', citation })

export const vit: Family = {
  heads: ['ViTModel', 'ViTForImageClassification'],
  read(config, head, list) {
    const bare = head === 'ViTModel'
    const width = trunk(config, list, bare ? '' : 'vit.', ['cls_token'])
    if (bare) list.linear('pooler.dense', width, config.integer('pooler_output_size', width))
    else list.linear('classifier', width, config.labels())
    return vitRules(config, vitRecipe)
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
    return vitRules(config, deitRecipe)
  },
}
