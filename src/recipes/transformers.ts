import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface StdSettings {
  /** initializer_range. Default 0.02. */
  readonly std?: number
}

/** Everything with an input N(0, std^2), biases 0, norm scales 1. */
function normalRules(name: string, settings: StdSettings, source: string): readonly RecipeRule[] {
  const std = new RecipeSettings(name, settings, ['std']).number('std', 0.02)
  const rule = ruleWriter(source)
  return [
    rule({ role: 'weight' }, 'normal', { std }),
    rule({ role: 'embedding' }, 'normal', { std }),
    ...plainRules(rule),
  ]
}

/**
 * Llama, Mistral, Qwen2, Qwen3: weights and embeddings N(0, std^2), the padding row 0, RMSNorm 1, biases 0.
 * Source: `_init_weights` in transformers' modeling_llama.py (and of its kin, which share it).
 */
export function llamaRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('llamaRecipe', settings, 'transformers modeling_llama.py, _init_weights')
}

/**
 * Gemma: as Llama, but its RMSNorm multiplies by 1 + weight, so that the weights of a neutral norm are 0.
 * Source: GemmaRMSNorm and `_init_weights` in transformers' modeling_gemma.py.
 */
export function gemmaRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  const source = 'transformers modeling_gemma.py, GemmaRMSNorm and _init_weights'
  return [ruleWriter(source)({ role: 'norm-scale' }, 'zeros'), ...normalRules('gemmaRecipe', settings, source)]
}

/**
 * BERT: weights and embeddings N(0, std^2), the padding row 0, biases 0, LayerNorm 1 and 0. (The paper truncates at two
 * sigma; transformers does not.)
 * Source: Devlin et al. 2019, appendix A.2; `_init_weights` in transformers' modeling_bert.py.
 */
export function bertRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('bertRecipe', settings, 'Devlin et al. 2019; transformers modeling_bert.py, _init_weights')
}

/** RoBERTa: BERT's distributions. Source: `_init_weights` in transformers' modeling_roberta.py. */
export function robertaRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('robertaRecipe', settings, 'transformers modeling_roberta.py, _init_weights')
}

/** DistilBERT: BERT's distributions. Source: `_init_weights` in transformers' modeling_distilbert.py. */
export function distilbertRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('distilbertRecipe', settings, 'transformers modeling_distilbert.py, _init_weights')
}
