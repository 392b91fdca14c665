import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { StdSettings } from './transformers.js'
import type { RecipeRule } from './types.js'

/**
 * Whisper's initialisation: weights, convolutions, token embeddings and the decoder's positions are N(0, std^2), and the
 * padding row is 0. The encoder's positions are the fixed sinusoids. Biases are 0, LayerNorm scales 1 and biases 0.
 * Source: Radford et al. 2022; `_init_weights` and `sinusoids` in transformers' modeling_whisper.py.
 * @throws WeightInitError `INVALID_ARGUMENT` unless std is a finite number >= 0, and for an unknown key
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
