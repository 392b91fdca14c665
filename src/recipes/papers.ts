import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface MuPRecipeSettings {
  /** Width at which std was tuned. */
  readonly baseWidth: number
  /** Width of this model. */
  readonly width: number
  /** Standard deviation of the base model's weights. Default 0.02. */
  readonly std?: number
  /** Glob of the output weights. Default lm_head, head, classifier, score, fc. */
  readonly output?: string
  /**
   * The model itself multiplies its outputs by baseWidth / width (Table 8, the form for tied embeddings): output weights
   * then keep std. Default false (Table 3): they are scaled by baseWidth / width.
   */
  readonly outputMultiplier?: boolean
  /** Output weights 0, as appendix D.2 advises. Default false. */
  readonly zeroOutput?: boolean
}

/**
 * Maximal update parametrisation, the initialisation's part of it, for m = width / baseWidth: embeddings std, hidden weights
 * std / sqrt(m), output weights std / m, biases 0, norms 1 and 0. Learning rates are the optimiser's part: with Adam hidden
 * and output ones are divided by m.
 *
 * Source: Yang et al., "Tensor Programs V", 2022, Tables 3 and 8, appendix D.2.
 */
export function muPRecipe(settings: MuPRecipeSettings): readonly RecipeRule[] {
  const known = ['baseWidth', 'width', 'std', 'output', 'outputMultiplier', 'zeroOutput']
  const read = new RecipeSettings('muPRecipe', settings, known)
  const m = read.count('width') / read.count('baseWidth')
  const std = read.number('std', 0.02)
  const output = read.glob('output', '{*.,}{lm_head,head,classifier,score,fc}.weight')
  const rule = ruleWriter('Yang et al. 2022, Tensor Programs V, Tables 3 and 8')
  return [
    read.flag('zeroOutput', false)
      ? rule(output, 'zeros')
      : rule(output, 'normal', { std: read.flag('outputMultiplier', false) ? std : std / m }),
    rule({ role: 'weight' }, 'normal', { std: std / Math.sqrt(m) }),
    rule({ role: 'embedding' }, 'normal', { std }),
    ...plainRules(rule),
  ]
}

export interface SirenRecipeSettings {
  /** Frequency of the sines. Default 30. */
  readonly omega?: number
  /** Glob of the first layer's weight. Default 0.weight, net.0.linear.weight. */
  readonly first?: string
}

/**
 * SIREN: first layer U(±1 / fan_in), the others U(±sqrt(6 / fan_in) / omega), biases as PyTorch's Linear, as in the
 * authors' code.
 *
 * Source: Sitzmann et al. 2020, section 3.2; vsitzmann/siren, SineLayer.init_weights.
 */
export function sirenRecipe(settings: SirenRecipeSettings = {}): readonly RecipeRule[] {
  const read = new RecipeSettings('sirenRecipe', settings, ['omega', 'first'])
  const omega = read.number('omega', 30, 'above zero')
  const rule = ruleWriter('Sitzmann et al. 2020, section 3.2; vsitzmann/siren, SineLayer.init_weights')
  return [
    rule(read.glob('first', '{*.,}0{.linear,}.weight'), 'siren', { first: true }),
    rule({ role: 'weight' }, 'siren', { omega }),
    rule({ role: 'bias' }, 'torch_default'),
  ]
}

/**
 * LoRA adapters: A kaiming_uniform_(a = sqrt(5)), that is U(±1 / sqrt(fan_in)), B 0, so that the adapted model starts as
 * the model it adapts; of an embedding A 0 and B N(0, 1). Only adapters are matched: put the model's own recipe after it,
 * or `{ match: '*', initializer: 'skip' }`.
 *
 * Source: Hu et al. 2021; `reset_lora_parameters` in PEFT's tuners/lora/layer.py.
 */
export function loraRecipe(settings: Readonly<Record<string, never>> = {}): readonly RecipeRule[] {
  new RecipeSettings('loraRecipe', settings, [])
  const rule = ruleWriter('Hu et al. 2021; peft tuners/lora/layer.py, reset_lora_parameters')
  const config = { a: Math.sqrt(5), nonlinearity: 'leaky_relu' } as const
  return [
    rule('*lora_embedding_A*', 'zeros'),
    rule('*lora_embedding_B*', 'normal', { std: 1 }),
    rule('*lora_A*', 'kaiming_uniform', config),
    rule('*lora_B*', 'zeros'),
  ]
}
