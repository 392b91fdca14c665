import { show, WeightInitError } from '../../core/errors.js'
import { type DeviceState, untilLost } from './device-state.js'
import { withErrorScope } from './scopes.js'

/** A submit that the device works on. */
export interface RunningPass {
  /** Resolves with the milliseconds that it took when the device has done it. */
  readonly done: Promise<number>
}

/**
 * Submits one compute pass. `encode` may write buffers before it sets up the pass.
 * @throws in `done`: DeviceLostError, WeightInitError `DEVICE_ERROR` naming the parameter
 */
export function submitPass(
  state: DeviceState,
  label: string,
  parameter: string,
  encode: (pass: GPUComputePassEncoder) => void,
): RunningPass {
  const { device } = state
  let began = 0
  const { error } = withErrorScope(device, 'validation', () => {
    const encoder = device.createCommandEncoder({ label })
    const pass = encoder.beginComputePass({ label })
    encode(pass)
    pass.end()
    const commands = encoder.finish({ label })
    began = performance.now()
    device.queue.submit([commands])
  })
  const worked = device.queue.onSubmittedWorkDone().then(() => performance.now() - began)
  const finish = async (): Promise<number> => {
    const [problem, milliseconds] = await untilLost(state, Promise.all([error, worked]))
    if (problem === null) return milliseconds
    throw new WeightInitError(
      'DEVICE_ERROR',
      `The device refused the work for ${show(parameter)}: ${problem.message}`,
      {
        cause: problem,
      },
    )
  }
  const done = finish()
  // The caller may leave for another reason before it looks.
  done.catch(() => {})
  return { done }
}
