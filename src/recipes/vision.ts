import { plainRules, RecipeSettings, ruleWriter, runningStatistics } from './rules.js'
import type { RecipeRule } from './types.js'

export interface ResnetRecipeSettings {
  /** Whether the last norm of every residual branch is 0, so that a block starts as the identity. Default false. */
  readonly zeroInitResidual?: boolean
  /** 'bottleneck' (three convolutions: ResNet-50 and deeper) or 'basic' (two). Default 'bottleneck'. */
  readonly block?: 'bottleneck' | 'basic'
}

/**
 * torchvision's initialisation of ResNets: convolutions are kaiming_normal_(fan_out, relu), batch norm scales 1 and biases 0,
 * running means 0 and variances 1. The weight and bias of the classifier fc are initialised like PyTorch's Linear: U[-b, b) with
 * b = 1 / sqrt(fan_in).
 *
 * Source: He et al. 2015; `ResNet.__init__` in torchvision's models/resnet.py; zeroInitResidual: Goyal et al. 2017, section 5.1.
 * @throws WeightInitError `INVALID_ARGUMENT` for another block, a flag that is not a boolean, or an unknown key
 */
export function resnetRecipe(settings: ResnetRecipeSettings = {}): readonly RecipeRule[] {
  const read = new RecipeSettings('resnetRecipe', settings, ['zeroInitResidual', 'block'])
  const lastNorm = read.choice('block', ['bottleneck', 'basic'], 'bottleneck') === 'basic' ? 'bn2' : 'bn3'
  const rule = ruleWriter('He et al. 2015; torchvision models/resnet.py, ResNet.__init__')
  const zeros = {
    match: `{*.,}layer*.${lastNorm}.weight`,
    initializer: 'zeros',
    citation: 'Goyal et al. 2017, section 5.1',
  } as const
  return [
    ...(read.flag('zeroInitResidual', false) ? [zeros] : []),
    rule('{*.,}fc.{weight,bias}', 'torch_default'),
    rule({ role: 'weight' }, 'kaiming_normal', { mode: 'fan_out', nonlinearity: 'relu' }),
    ...plainRules(rule),
    ...runningStatistics(rule),
  ]
}

/**
 * torchvision's initialisation of MobileNetV3: convolutions are kaiming_normal_(fan_out), the classifier's Linear layers
 * N(0, 0.01^2), biases 0, batch norm scales 1 and biases 0. torchvision uses PyTorch's fans, which treat a depthwise convolution
 * as if every output were connected to every input. The option `fans: 'torch'` gives the same standard deviations.
 *
 * Source: `MobileNetV3.__init__` in torchvision's models/mobilenetv3.py.
 * @throws WeightInitError `INVALID_ARGUMENT` for any key
 */
export function mobilenetV3Recipe(settings: Readonly<Record<string, never>> = {}): readonly RecipeRule[] {
  new RecipeSettings('mobilenetV3Recipe', settings, [])
  const rule = ruleWriter('Howard et al. 2019; torchvision models/mobilenetv3.py, MobileNetV3.__init__')
  return [
    rule('{*.,}classifier.*weight', 'normal', { std: 0.01 }),
    rule({ role: 'weight' }, 'kaiming_normal', { mode: 'fan_out', nonlinearity: 'relu' }),
    ...plainRules(rule),
    ...runningStatistics(rule),
  ]
}
