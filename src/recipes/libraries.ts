import { plainRules, RecipeSettings, ruleWriter, runningStatistics } from './rules.js'
import type { RecipeRule } from './types.js'

type NoSettings = Readonly<Record<string, never>>

/**
 * The default initialisation of Keras's layers: kernels are glorot_uniform, recurrent kernels orthogonal, embeddings
 * U[-0.05, 0.05), biases 0, norm scales 1 and biases 0, moving means 0 and variances 1. Keras sets the forget-gate bias of an
 * LSTM to 1 (unit_forget_bias). A rule cannot do that, because this bias is only a part of a parameter; if it is a separate
 * parameter in your model, give it a rule of its own.
 *
 * Source: the default initializers in keras.layers (Dense, Conv, Embedding, LSTM, BatchNormalization).
 * @throws WeightInitError `INVALID_ARGUMENT` for any key
 */
export function kerasDefaultRecipe(settings: NoSettings = {}): readonly RecipeRule[] {
  new RecipeSettings('kerasDefaultRecipe', settings, [])
  const rule = ruleWriter('keras.layers, default initializers')
  return [
    rule('*moving_variance{,:0}', 'ones'),
    rule('*moving_mean{,:0}', 'zeros'),
    ...runningStatistics(rule),
    rule('*{recurrent_kernel,recurrent_kernel:0,weight_hh_l*}', 'orthogonal'),
    rule({ role: 'weight' }, 'glorot_uniform'),
    rule({ role: 'embedding' }, 'random_uniform'),
    ...plainRules(rule),
  ]
}

/**
 * The default initialisation of PyTorch's layers (`reset_parameters`): see `TorchDefaultInitializer`. Running means are 0 and
 * running variances 1.
 *
 * Source: torch.nn (Linear, Conv, Embedding, LSTM, BatchNorm).
 * @throws WeightInitError `INVALID_ARGUMENT` for any key
 */
export function torchDefaultRecipe(settings: NoSettings = {}): readonly RecipeRule[] {
  new RecipeSettings('torchDefaultRecipe', settings, [])
  const rule = ruleWriter('torch.nn, reset_parameters of every layer')
  return [...runningStatistics(rule), rule('*', 'torch_default')]
}

/**
 * The default initialisation of Flax's layers: kernels are lecun_normal (truncated), recurrent kernels orthogonal, embeddings
 * N(0, 1 / features), biases 0, norm scales 1 and biases 0, batch means 0 and variances 1.
 *
 * Source: the default initializers in flax.linen (Dense, Conv, Embed, LSTMCell, BatchNorm). Embed's is
 * variance_scaling(1, 'fan_in', 'normal', out_axis=0).
 * @throws WeightInitError `INVALID_ARGUMENT` for any key
 */
export function flaxDefaultRecipe(settings: NoSettings = {}): readonly RecipeRule[] {
  new RecipeSettings('flaxDefaultRecipe', settings, [])
  const rule = ruleWriter('flax.linen, default initializers')
  return [
    rule('*batch_stats*{.,/}var', 'ones'),
    rule('*batch_stats*{.,/}mean', 'zeros'),
    rule('*{.,/}h{i,f,g,o,r,z,n}{.,/}kernel', 'orthogonal'),
    rule({ role: 'weight' }, 'lecun_normal'),
    rule({ role: 'embedding' }, 'variance_scaling', { scale: 1, mode: 'fan_in', distribution: 'normal' }),
    ...plainRules(rule),
  ]
}
