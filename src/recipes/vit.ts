import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { StdSettings } from './transformers.js'
import type { RecipeRule } from './types.js'

/**
 * ViT: weights, patches, class token and positions trunc_normal_(std): N(0, std^2) within the absolute bounds [-2, 2],
 * which at 0.02 cut nothing; biases and a mask token 0, LayerNorm 1 and 0.
 * Source: Dosovitskiy et al. 2021; `_init_weights` in transformers' modeling_vit.py.
 */
export function vitRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  const std = new RecipeSettings('vitRecipe', settings, ['std']).number('std', 0.02, 'above zero')
  const rule = ruleWriter('Dosovitskiy et al. 2021; transformers modeling_vit.py, _init_weights')
  return [
    rule('*mask_token', 'zeros'),
    rule({ role: 'weight' }, 'trunc_normal', { std }),
    rule({ role: 'embedding' }, 'trunc_normal', { std }),
    ...plainRules(rule),
  ]
}

/**
 * DeiT: weights and patches trunc_normal_(std); class, distillation and mask token and positions 0, as transformers
 * leaves them; biases 0, LayerNorm 1 and 0.
 * Source: Touvron et al. 2021; DeiTEmbeddings and `_init_weights` in transformers' modeling_deit.py.
 */
export function deitRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  const std = new RecipeSettings('deitRecipe', settings, ['std']).number('std', 0.02, 'above zero')
  const rule = ruleWriter('Touvron et al. 2021; transformers modeling_deit.py, DeiTEmbeddings and _init_weights')
  return [rule({ role: 'embedding' }, 'zeros'), rule({ role: 'weight' }, 'trunc_normal', { std }), ...plainRules(rule)]
}
