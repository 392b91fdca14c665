import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface StdSettings {
  /** initializer_range, a finite number >= 0 (> 0 for ViT and DeiT). Default 0.02. */
  readonly std?: number
}

/** Weights and embeddings N(0, std^2), biases 0, norm scales 1. */
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
 * The initialisation of Llama, Mistral, Qwen2 and Qwen3: weights and embeddings are N(0, std^2), the padding row 0, RMSNorm
 * scales 1 and biases 0.
 * Source: `_init_weights` in transformers' modeling_llama.py, which the other models share.
 * @throws WeightInitError `INVALID_ARGUMENT` unless std is a finite number >= 0, and for an unknown key
 */
export function llamaRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('llamaRecipe', settings, 'transformers modeling_llama.py, _init_weights')
}

/**
 * Gemma's initialisation: as `llamaRecipe`, but RMSNorm weights are 0, because Gemma's norm multiplies by 1 + weight.
 * Source: GemmaRMSNorm and `_init_weights` in transformers' modeling_gemma.py.
 * @throws WeightInitError as `llamaRecipe`
 */
export function gemmaRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  const source = 'transformers modeling_gemma.py, GemmaRMSNorm and _init_weights'
  return [ruleWriter(source)({ role: 'norm-scale' }, 'zeros'), ...normalRules('gemmaRecipe', settings, source)]
}

/**
 * BERT's initialisation: weights and embeddings are N(0, std^2), the padding row 0, biases 0, LayerNorm scales 1 and biases 0.
 * (The paper truncates the normal distribution at two standard deviations; transformers does not.)
 * Source: Devlin et al. 2019, appendix A.2; `_init_weights` in transformers' modeling_bert.py.
 * @throws WeightInitError as `llamaRecipe`
 */
export function bertRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('bertRecipe', settings, 'Devlin et al. 2019; transformers modeling_bert.py, _init_weights')
}

/** RoBERTa's initialisation, the same as `bertRecipe`. Source: `_init_weights` in transformers' modeling_roberta.py. */
export function robertaRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('robertaRecipe', settings, 'transformers modeling_roberta.py, _init_weights')
}

/** DistilBERT's initialisation, the same as `bertRecipe`. Source: `_init_weights` in transformers' modeling_distilbert.py. */
export function distilbertRecipe(settings: StdSettings = {}): readonly RecipeRule[] {
  return normalRules('distilbertRecipe', settings, 'transformers modeling_distilbert.py, _init_weights')
}
