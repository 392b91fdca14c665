import { plainRules, RecipeSettings, ruleWriter, runningStatistics } from './rules.js'
import type { RecipeRule } from './types.js'

export interface ResnetRecipeSettings {
  /** The last norm of every residual branch starts at 0, so that a block starts as the identity. Default false. */
  readonly zeroInitResidual?: boolean
  /** 'bottleneck' (three convolutions: ResNet-50 and deeper) or 'basic' (two). Default 'bottleneck'. */
  readonly block?: 'bottleneck' | 'basic'
}

/**
 * ResNet: convolutions kaiming_normal_(fan_out, relu), batch norms 1 and 0, running statistics as they start; the classifier
 * fc as PyTorch's Linear: U(±1 / sqrt(fan_in)), weight and bias.
 *
 * Source: He et al. 2015; `ResNet.__init__` in torchvision's models/resnet.py; zeroInitResidual: Goyal et al. 2017, section 5.1.
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
 * MobileNetV3: convolutions kaiming_normal_(fan_out), the classifier's Linear layers N(0, 0.01^2), biases 0, batch norms 1
 * and 0. torchvision takes PyTorch's fans, which count a depthwise convolution's outputs as if they all met every input:
 * option `fans: 'torch'` gives its standard deviations there.
 *
 * Source: `MobileNetV3.__init__` in torchvision's models/mobilenetv3.py.
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
