import { show, WeightInitError } from '../core/errors.js'
import type { FanConvention, Fans } from '../ir/fans.js'
import type { Parameter } from '../ir/parameter.js'

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1)

/**
 * fan_in and fan_out of a weight. Exact.
 *
 * The convention 'layout' computes the fans of the actual layer. The batch axes (the first `batchAxes` axes, such as experts
 * or heads) are left out. With receptive field k (the product of the kernel axes), g groups and n fused blocks:
 * - out-in [n out, in/g, ...k] and in-out [...k, in/g, n out]: fan_in = in/g * k, fan_out = out/g * k
 * - transposed [in, out/g, ...k]: fan_in = in/g * k, fan_out = out/g * k
 *
 * If the parameter has a `fan`, that is the result.
 *
 * The convention 'torch' is PyTorch's `_calculate_fan_in_and_fan_out`: fan_in = size(1) * k and fan_out = size(0) * k for
 * every layer. The two conventions agree for `out-in` without groups and blocks. PyTorch's fans are not those of the layer for
 * transposed, grouped and fused weights.
 *
 * @throws WeightInitError `INVALID_SHAPE` for rank < 2, with PyTorch's message
 */
export function calculateFans(parameter: Parameter, convention: FanConvention = 'layout'): Fans {
  const { layout, groups, blocks, batchAxes, fan } = parameter
  if (convention === 'torch') return torchFans(parameter)
  if (fan !== undefined) return { fanIn: fan.in, fanOut: fan.out }
  const shape = parameter.shape.slice(batchAxes)
  if (shape.length < 2) tooFewAxes(parameter)
  if (layout === 'in-out') {
    const field = product(shape.slice(0, -2))
    const [inputs = 1, outputs = 1] = shape.slice(-2)
    return { fanIn: inputs * field, fanOut: (outputs / groups / blocks) * field }
  }
  const [first = 1, second = 1, ...kernel] = shape
  const field = product(kernel)
  if (layout === 'transposed') return { fanIn: (first / groups) * field, fanOut: (second / blocks) * field }
  return { fanIn: second * field, fanOut: (first / groups / blocks) * field }
}

function torchFans(parameter: Parameter): Fans {
  const [first = 1, second = 1, ...kernel] = parameter.shape
  if (parameter.shape.length < 2) tooFewAxes(parameter)
  const field = product(kernel)
  return { fanIn: second * field, fanOut: first * field }
}

function tooFewAxes({ name, shape }: Parameter): never {
  throw new WeightInitError(
    'INVALID_SHAPE',
    `Parameter ${show(name)} of shape ${show(shape)}: Fan in and fan out can not be computed for tensor with fewer ` +
      'than 2 dimensions. Use uniform, normal or constant for it, or give the fans: fan: { in, out }.',
  )
}
