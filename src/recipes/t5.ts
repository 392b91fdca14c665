import { plainRules, RecipeSettings, ruleWriter } from './rules.js'
import type { RecipeRule } from './types.js'

export interface T5RecipeSettings {
  /** d_model. Default 512, as in T5-small. */
  readonly dModel?: number
  /** d_kv, the width of a head. Default 64. */
  readonly dKv?: number
  /** num_heads. Default 8. */
  readonly numHeads?: number
  /** d_ff, the inner width of the feed-forward layer. Default 2048. */
  readonly dFf?: number
  /** initializer_factor. Default 1. */
  readonly factor?: number
}

/**
 * T5's initialisation. All standard deviations follow from the widths, so that attention needs no scaling before its softmax.
 * Weights are N(0, s^2) with the following s:
 * - q: factor / sqrt(d_model d_kv); o: factor / sqrt(num_heads d_kv)
 * - k, v, wi and the relative position table: factor / sqrt(d_model)
 * - wo: factor / sqrt(d_ff)
 * - embeddings and an untied lm_head: factor
 *
 * RMSNorm scales are `factor`.
 *
 * Source: Raffel et al. 2020 and Mesh TensorFlow; `_init_weights` in transformers' modeling_t5.py.
 * @throws WeightInitError `INVALID_ARGUMENT` for a width that is not a positive integer, a negative factor, or an unknown key
 */
export function t5Recipe(settings: T5RecipeSettings = {}): readonly RecipeRule[] {
  const read = new RecipeSettings('t5Recipe', settings, ['dModel', 'dKv', 'numHeads', 'dFf', 'factor'])
  const dModel = read.count('dModel', 512)
  const dKv = read.count('dKv', 64)
  const factor = read.number('factor', 1)
  const fromModel = { std: factor * dModel ** -0.5 }
  const rule = ruleWriter('Raffel et al. 2020; transformers modeling_t5.py, _init_weights')
  return [
    rule('*Attention.q.weight', 'normal', { std: factor * (dModel * dKv) ** -0.5 }),
    rule('*Attention.{k,v}.weight', 'normal', fromModel),
    rule('*Attention.o.weight', 'normal', { std: factor * (read.count('numHeads', 8) * dKv) ** -0.5 }),
    rule('*relative_attention_bias.weight', 'normal', fromModel),
    rule('*DenseReluDense.wi*.weight', 'normal', fromModel),
    rule('*DenseReluDense.wo.weight', 'normal', { std: factor * read.count('dFf', 2048) ** -0.5 }),
    rule('{*.,}lm_head.weight', 'normal', { std: factor }),
    rule({ role: 'embedding' }, 'normal', { std: factor }),
    rule({ role: 'norm-scale' }, 'constant', { value: factor }),
    ...plainRules(rule).slice(1),
  ]
}
