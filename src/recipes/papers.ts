import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface MuPRecipeSettings {
  /** The width at which std was tuned. */
  readonly baseWidth: number
  /** The width of this model. */
  readonly width: number
  /** The standard deviation of the base model's weights. Default 0.02. */
  readonly std?: number
  /** A glob for the names of the output weights. The default matches lm_head, head, classifier, score and fc. */
  readonly output?: string
  /**
   * Whether the model itself multiplies its outputs by baseWidth / width (Table 8, the form for tied embeddings). If true,
   * output weights have the standard deviation std. If false (the default, Table 3), it is std baseWidth / width.
   */
  readonly outputMultiplier?: boolean
  /** Whether output weights are 0, as appendix D.2 recommends. Default false. */
  readonly zeroOutput?: boolean
}

/**
 * The initialisation of the maximal update parametrisation (muP). With m = width / baseWidth, the standard deviation is std
 * for embeddings, std / sqrt(m) for hidden weights and std / m for output weights. Biases are 0, norm scales 1 and norm biases
 * 0. muP also needs scaled learning rates, which you set in the optimiser: with Adam, divide those of hidden and output
 * weights by m.
 *
 * Source: Yang et al., "Tensor Programs V", 2022, Tables 3 and 8, appendix D.2.
 *
 * @example
 * const rules = muPRecipe({ baseWidth: 256, width: 1024 })
 * @throws WeightInitError `INVALID_ARGUMENT` unless both widths are positive integers, for a negative std and for an unknown
 *   key
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
  /** The frequency of the sines, > 0. Default 30. */
  readonly omega?: number
  /** A glob for the name of the first layer's weight. The default matches 0.weight and net.0.linear.weight. */
  readonly first?: string
}

/**
 * SIREN's initialisation: U[-b, b) with b = 1 / fan_in for the first layer and b = sqrt(6 / fan_in) / omega for the others.
 * Biases are initialised like those of PyTorch's Linear, as in the authors' code.
 *
 * Source: Sitzmann et al. 2020, section 3.2; vsitzmann/siren, SineLayer.init_weights.
 * @throws WeightInitError `INVALID_ARGUMENT` unless omega > 0, for an empty glob and for an unknown key
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
 * The initialisation of LoRA adapters: A is kaiming_uniform_(a = sqrt(5)), which is U[-b, b) with b = 1 / sqrt(fan_in), and B is
 * 0, so that the adapted model starts with the outputs of the original one. For an embedding, A is 0 and B is N(0, 1).
 *
 * The rules match only adapters. Put the recipe of the model itself after them, or `{ match: '*', initializer: 'skip' }`.
 *
 * Source: Hu et al. 2021; `reset_lora_parameters` in PEFT's tuners/lora/layer.py.
 *
 * @example
 * const rules = [...loraRecipe(), { match: '*', initializer: 'skip' }] as const
 * @throws WeightInitError `INVALID_ARGUMENT` for any key
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
