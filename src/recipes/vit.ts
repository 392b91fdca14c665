import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { StdSettings } from './transformers.js'
import type { RecipeRule } from './types.js'

/**
 * ViT's initialisation: weights, patches, class token and positions are trunc_normal_(std), which is N(0, std^2) within the
 * absolute bounds [-2, 2]; with std 0.02 nothing is truncated. Biases and a mask token are 0, LayerNorm scales 1 and biases 0.
 * Source: Dosovitskiy et al. 2021; `_init_weights` in transformers' modeling_vit.py.
 * @throws WeightInitError `INVALID_ARGUMENT` unless std is a finite number > 0, and for an unknown key
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
 * DeiT's initialisation: weights and patches are trunc_normal_(std). The class, distillation and mask tokens and the positions
 * are 0, as in transformers. Biases are 0, LayerNorm scales 1 and biases 0.
 * Source: Touvron et al. 2021; DeiTEmbeddings and `_init_weights` in transformers' modeling_deit.py.
 * @throws WeightInitError as `vitRecipe`
 */
export function deitRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  const std = new RecipeSettings('deitRecipe', settings, ['std']).number('std', 0.02, 'above zero')
  const rule = ruleWriter('Touvron et al. 2021; transformers modeling_deit.py, DeiTEmbeddings and _init_weights')
  return [rule({ role: 'embedding' }, 'zeros'), rule({ role: 'weight' }, 'trunc_normal', { std }), ...plainRules(rule)]
}
