import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface Gpt2RecipeSettings {
  /** The number of transformer blocks, each of which adds two residual branches. Default 12, as in GPT-2 124M. */
  readonly layers?: number
  /** initializer_range. Default 0.02. */
  readonly std?: number
}

/**
 * GPT-2's initialisation: weights and embeddings are N(0, std^2), the residual projections (c_proj)
 * N(0, (std / sqrt(2 layers))^2), biases 0, LayerNorm scales 1 and biases 0.
 *
 * Source: Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.3; `_init_weights` in
 * transformers' modeling_gpt2.py.
 *
 * @example
 * const rules = gpt2Recipe({ layers: 24 })
 * @throws WeightInitError `INVALID_ARGUMENT` unless layers is a positive integer and std >= 0, and for an unknown key
 */
export function gpt2Recipe(settings: Gpt2RecipeSettings = {}): readonly RecipeRule[] {
  return residualRules(
    'gpt2Recipe',
    settings,
    'Radford et al. 2019, section 2.3; transformers modeling_gpt2.py, _init_weights',
  )
}

/**
 * nanoGPT's initialisation: the same distributions as `gpt2Recipe`, for Karpathy's parameter names.
 *
 * Source: karpathy/nanoGPT, model.py, `GPT.__init__` and `_init_weights`.
 * @throws WeightInitError as `gpt2Recipe`
 */
export function nanogptRecipe(settings: Gpt2RecipeSettings = {}): readonly RecipeRule[] {
  return residualRules('nanogptRecipe', settings, 'karpathy/nanoGPT, model.py, GPT.__init__ and _init_weights')
}

function residualRules(name: string, settings: Gpt2RecipeSettings, source: string): readonly RecipeRule[] {
  const read = new RecipeSettings(name, settings, ['layers', 'std'])
  const layers = read.count('layers', 12)
  const std = read.number('std', 0.02)
  const rule = ruleWriter(source)
  return [
    rule('*c_proj.weight', 'normal', { std: std / Math.sqrt(2 * layers) }),
    rule({ role: 'weight' }, 'normal', { std }),
    rule({ role: 'embedding' }, 'normal', { std }),
    ...plainRules(rule),
  ]
}
