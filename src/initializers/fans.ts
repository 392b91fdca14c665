import { show, WeightInitError } from '../errors.js'
import type { Parameter } from '../model/types.js'

/** How many inputs reach one output (fanIn) and how many outputs one input reaches (fanOut). */
export interface Fans {
  readonly fanIn: number
  readonly fanOut: number
}

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1)

/**
 * fan_in and fan_out of a weight, from its layout and groups, or as given by hand in `fan`.
 *
 * With receptive field k = product of the kernel axes:
 * - out-in [out, in/g, ...k]: fan_in = in/g * k, fan_out = out/g * k
 * - in-out [...k, in/g, out]: the same
 * - transposed [in, out/g, ...k]: fan_in = in/g * k, fan_out = out/g * k
 *
 * For `out-in` without groups this is PyTorch's `_calculate_fan_in_and_fan_out`. Exact.
 *
 * @throws WeightInitError `INVALID_SHAPE` for rank < 2, in PyTorch's words
 */
export function calculateFans(parameter: Parameter): Fans {
  const { shape, layout, groups, fan, name } = parameter
  if (fan !== undefined) return { fanIn: fan.in, fanOut: fan.out }
  if (shape.length < 2) {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `Parameter ${show(name)} of shape ${show(shape)}: Fan in and fan out can not be computed for tensor with fewer ` +
        'than 2 dimensions. Use uniform, normal or constant for it, or give the fans: fan: { in, out }.',
    )
  }
  if (layout === 'in-out') {
    const field = product(shape.slice(0, -2))
    const [inputs = 1, outputs = 1] = shape.slice(-2)
    return { fanIn: inputs * field, fanOut: (outputs / groups) * field }
  }
  const [first = 1, second = 1, ...kernel] = shape
  const field = product(kernel)
  if (layout === 'transposed') return { fanIn: (first / groups) * field, fanOut: second * field }
  return { fanIn: second * field, fanOut: (first / groups) * field }
}
