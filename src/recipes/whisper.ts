import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { StdSettings } from './transformers.js'
import type { RecipeRule } from './types.js'

/**
 * Whisper: weights, convolutions, token embeddings and the decoder's positions N(0, std^2), the padding row 0; the
 * encoder's positions the fixed sinusoids; biases 0, LayerNorm 1 and 0.
 * Source: Radford et al. 2022; `_init_weights` and `sinusoids` in transformers' modeling_whisper.py.
 */
export function whisperRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  const std = new RecipeSettings('whisperRecipe', settings, ['std']).number('std', 0.02)
  const rule = ruleWriter('Radford et al. 2022; transformers modeling_whisper.py, _init_weights and sinusoids')
  return [
    rule('{*.,}encoder.embed_positions.weight', 'sinusoidal'),
    rule({ role: 'weight' }, 'normal', { std }),
    rule({ role: 'embedding' }, 'normal', { std }),
    ...plainRules(rule),
  ]
}
