import { show, WeightInitError } from '../../core/errors.js'
import type { LinearStep, Step } from '../../signal/steps.js'
import type { DeviceState } from '../device/device-state.js'
import { alignUp } from '../device/windows.js'

/** The largest buffer of decoded weights, in bytes. A larger weight is decoded in pieces. */
const WEIGHT_BYTES = 64 * 2 ** 20

/** The number of bytes of a weight that are decoded at a time. */
export const weightLimit = ({ device: { limits } }: DeviceState): number =>
  Math.min(WEIGHT_BYTES, limits.maxStorageBufferBindingSize, limits.maxBufferSize)

/**
 * Checks, before any GPU work, that the buffers and bindings of the device can hold every tensor.
 * @throws WeightInitError `LIMIT_EXCEEDED` naming the layer, its bytes, the limit and the remedy
 */
export function checkSignalLimits(state: DeviceState, steps: readonly Step[], batch: number): void {
  const { maxStorageBufferBindingSize, maxBufferSize } = state.device.limits
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize)
  for (const step of steps) {
    const bytes = 4 * batch * Math.max(step.count, step.inputCount)
    if (bytes > limit) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `propagateSignal: layer ${show(step.name)} (${step.kind}) makes ${bytes} bytes for a batch of ${batch}; a binding of this ` +
          `device holds ${limit}. Take a batch of at most ${Math.floor((limit / bytes) * batch)}, or a smaller inputShape.`,
      )
    }
    const row =
      step.op === 'linear'
        ? 16 * Math.max(alignUp(step.inFeatures, 4), alignUp(step.outFeatures, 4))
        : step.op === 'conv'
          ? 4 * step.weight.elementCount
          : 0
    if (row > weightLimit(state) || (row > 0 && (step as LinearStep).weight.elementCount >= 2 ** 32)) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `propagateSignal: the weight of layer ${show(step.name)} (${step.kind}, ${show((step as LinearStep).weight.shape)}) is too large: ` +
          `${row} bytes of it must fit into ${weightLimit(state)}, and its elements into 32 bits. Measure this layer on device: 'cpu'.`,
      )
    }
    if (step.op === 'residual') checkSignalLimits(state, [...step.body, ...step.shortcut], batch)
  }
}
