import { plainRules, RecipeSettings, type RuleWriter, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface ClipTowerSettings {
  /** hidden_size. Default 512 for text, 768 for vision: CLIP ViT-B/32. */
  readonly width?: number
  /** num_hidden_layers. Default 12. */
  readonly layers?: number
  /** initializer_factor. Default 1. */
  readonly factor?: number
  /** initializer_range, the standard deviation of the vision tower's patches and positions. Default 0.02. */
  readonly std?: number
}

export interface ClipRecipeSettings {
  readonly text?: ClipTowerSettings
  readonly vision?: ClipTowerSettings
  /** initializer_factor of the projections. Default 1. */
  readonly factor?: number
  /** logit_scale_init_value, ln(1 / 0.07). Default 2.6592. */
  readonly logitScale?: number
}

/**
 * CLIP's initialisation. Weights are N(0, s^2), with the following s in a tower of width w with n layers:
 * - q, k, v and fc2: factor / sqrt(2 n w); out_proj: factor / sqrt(w); fc1: factor / sqrt(2 w)
 * - text embeddings: 0.02 factor; class embedding: factor / sqrt(w); patches and positions: std factor
 * - projections: factor / sqrt(w)
 *
 * logit_scale is a constant, biases are 0, LayerNorm scales 1 and biases 0.
 *
 * Source: Radford et al. 2021; `_init_weights` in transformers' modeling_clip.py.
 * @throws WeightInitError `INVALID_ARGUMENT` for a width or a number of layers that is not a positive integer, a negative
 *   number, or an unknown key
 */
export function clipRecipe(settings: ClipRecipeSettings = {}): readonly RecipeRule[] {
  const read = new RecipeSettings('clipRecipe', settings, ['text', 'vision', 'factor', 'logitScale'])
  const factor = read.number('factor', 1)
  const rule = ruleWriter('Radford et al. 2021; transformers modeling_clip.py, _init_weights')
  const text = tower(rule, 'text', settings.text ?? {}, 512)
  const vision = tower(rule, 'vision', settings.vision ?? {}, 768)
  return [
    rule('{*.,}logit_scale', 'constant', { value: read.finite('logitScale', 2.6592) }),
    rule('{*.,}text_projection.weight', 'normal', { std: text.width ** -0.5 * factor }),
    rule('{*.,}visual_projection.weight', 'normal', { std: vision.width ** -0.5 * factor }),
    ...text.rules,
    ...vision.rules,
    ...plainRules(rule),
  ]
}

function tower(
  rule: RuleWriter,
  kind: 'text' | 'vision',
  settings: ClipTowerSettings,
  defaultWidth: number,
): { width: number; rules: RecipeRule[] } {
  const read = new RecipeSettings(`clipRecipe ${kind}`, settings, ['width', 'layers', 'factor', 'std'])
  const width = read.count('width', defaultWidth)
  const factor = read.number('factor', 1)
  const std = read.number('std', 0.02)
  const residual = width ** -0.5 * (2 * read.count('layers', 12)) ** -0.5 * factor
  const at = `{*.,}${kind}_model.`
  const tables =
    kind === 'text'
      ? [rule(`${at}embeddings.*`, 'normal', { std: factor * 0.02 })]
      : [
          rule(`${at}embeddings.class_embedding`, 'normal', { std: width ** -0.5 * factor }),
          rule(`${at}embeddings.*`, 'normal', { std: std * factor }),
        ]
  return {
    width,
    rules: [
      ...tables,
      rule(`${at}*.self_attn.{q,k,v}_proj.weight`, 'normal', { std: residual }),
      rule(`${at}*.self_attn.out_proj.weight`, 'normal', { std: width ** -0.5 * factor }),
      rule(`${at}*.mlp.fc1.weight`, 'normal', { std: (2 * width) ** -0.5 * factor }),
      rule(`${at}*.mlp.fc2.weight`, 'normal', { std: residual }),
    ],
  }
}
