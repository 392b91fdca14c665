import { isFloatDType } from '../../core/dtype.js'
import { type Measurement, mergeMeasurements, noMeasurement } from '../../statistics/measurement.js'
import type { Repeats } from '../../statistics/repeats.js'
import { type DeviceState, requireAlive } from '../device/device-state.js'
import { Anchors } from './anchors.js'
import { measureOnHost } from './host.js'
import { measureOnDevice } from './measure-on-device.js'
import type { GpuMeasuredTensor } from './pieces.js'

/**
 * Measures tensors where they are. Stores the anchors of what it has seen, so that copies are found also between calls.
 */
export class GpuMeasurer {
  readonly #state: DeviceState
  readonly #anchors: Anchors

  /** @param anchoredCount elements of everything that will be measured and searched for copies; 0: no search */
  constructor(state: DeviceState, anchoredCount: number) {
    requireAlive(state)
    this.#state = state
    this.#anchors = new Anchors(state, anchoredCount)
  }

  /** A measurement per run of each tensor, in order. */
  async measure(tensors: readonly GpuMeasuredTensor[], signal?: AbortSignal): Promise<Measurement[][]> {
    const results = tensors.map(({ tensor }) => tensor.runs.map((): Measurement => noMeasurement))
    const onDevice = tensors.filter(({ tensor }) => isFloatDType(tensor.parameter.dtype))
    const distrusted = new Set<string>()
    const indexOf = new Map(tensors.map(({ tensor }, index) => [tensor, index]))
    const pieces = onDevice.length > 0 ? await measureOnDevice(this.#state, this.#anchors, onDevice, signal) : []
    for (const { piece, measurement, trusted } of pieces) {
      const { tensor, run } = piece
      const index = indexOf.get(tensor)!
      results[index]![run] = mergeMeasurements(results[index]![run]!, measurement)
      if (!trusted) distrusted.add(`${index} ${run}`)
    }
    for (const [index, located] of tensors.entries()) {
      const { runs, parameter } = located.tensor
      for (const run of runs.keys()) {
        // Integers are few and small (counters, masks); sums that float32 could not hold are rare: the host does them.
        if (isFloatDType(parameter.dtype) && !distrusted.has(`${index} ${run}`)) continue
        results[index]![run] = await measureOnHost(this.#state, located, run, signal)
      }
    }
    return results
  }

  /** The copies among everything measured so far. */
  repeats(): Promise<Repeats> {
    return this.#anchors.repeats()
  }

  destroy(): void {
    this.#anchors.destroy()
  }
}
