import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface Gpt2RecipeSettings {
  /** Transformer blocks: each adds two residual branches. Default 12, GPT-2 124M. */
  readonly layers?: number
  /** initializer_range. Default 0.02. */
  readonly std?: number
}

/**
 * GPT-2's own initialisation: weights and embeddings N(0, std^2), the residual projections (c_proj)
 * N(0, (std / sqrt(2 layers))^2), biases 0, LayerNorm 1 and 0.
 *
 * Source: Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.3; `_init_weights` in
 * transformers' modeling_gpt2.py.
 * @throws WeightInitError `INVALID_ARGUMENT` for layers that are no positive integer, a negative std, an unknown key
 */
export function gpt2Recipe(settings: Gpt2RecipeSettings = {}): readonly RecipeRule[] {
  return residualRules(
    'gpt2Recipe',
    settings,
    'Radford et al. 2019, section 2.3; transformers modeling_gpt2.py, _init_weights',
  )
}

/**
 * nanoGPT: the same distributions as GPT-2's, for Karpathy's parameter names: N(0, 0.02^2), c_proj N(0, (0.02 / sqrt(2 layers))^2).
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
