import { plainRules, RecipeSettings, ruleWriter, runningStatistics } from './rules.js'
import type { RecipeRule } from './types.js'

type NoSettings = Readonly<Record<string, never>>

/**
 * What Keras's layers start with: kernels glorot_uniform, recurrent kernels orthogonal, embeddings U(-0.05, 0.05), biases 0,
 * norms 1 and 0, moving statistics 0 and 1. An LSTM's forget-gate bias, which Keras starts at 1 (unit_forget_bias), is a
 * part of a parameter: give it a rule of its own where it is a parameter.
 *
 * Source: keras.layers (Dense, Conv, Embedding, LSTM, BatchNormalization), their default initializers.
 */
export function kerasDefaultRecipe(settings: NoSettings = {}): readonly RecipeRule[] {
  new RecipeSettings('kerasDefaultRecipe', settings, [])
  const rule = ruleWriter('keras.layers, default initializers')
  return [
    rule('*{recurrent_kernel,weight_hh_l*}', 'orthogonal'),
    rule({ role: 'weight' }, 'glorot_uniform'),
    rule({ role: 'embedding' }, 'random_uniform'),
    ...plainRules(rule),
    rule('*moving_variance', 'ones'),
    rule('*moving_mean', 'zeros'),
    ...runningStatistics(rule),
  ]
}

/**
 * What PyTorch's layers start with, `reset_parameters` of each: see `TorchDefaultInitializer`; running statistics 0 and 1.
 * Source: torch.nn (Linear, Conv, Embedding, LSTM, BatchNorm).
 */
export function torchDefaultRecipe(settings: NoSettings = {}): readonly RecipeRule[] {
  new RecipeSettings('torchDefaultRecipe', settings, [])
  const rule = ruleWriter('torch.nn, reset_parameters of every layer')
  return [...runningStatistics(rule), rule('*', 'torch_default')]
}

/**
 * What Flax's layers start with: kernels lecun_normal (truncated), recurrent kernels orthogonal, embeddings
 * N(0, 1 / features), biases 0, norms 1 and 0, batch statistics 0 and 1.
 *
 * Source: flax.linen (Dense, Conv, Embed, LSTMCell, BatchNorm), their default initializers; Embed's is
 * variance_scaling(1, 'fan_in', 'normal', out_axis=0).
 */
export function flaxDefaultRecipe(settings: NoSettings = {}): readonly RecipeRule[] {
  new RecipeSettings('flaxDefaultRecipe', settings, [])
  const rule = ruleWriter('flax.linen, default initializers')
  return [
    rule('*{.,/}h{i,f,g,o,r,z,n}{.,/}kernel', 'orthogonal'),
    rule({ role: 'weight' }, 'lecun_normal'),
    rule({ role: 'embedding' }, 'variance_scaling', { scale: 1, mode: 'fan_in', distribution: 'normal' }),
    ...plainRules(rule),
    rule('*batch_stats*var', 'ones'),
    rule('*batch_stats*mean', 'zeros'),
  ]
}
