import { WeightInitError } from '../../core/errors.js'
import { type DeviceState, untilLost } from './device-state.js'
import { outOfMemory, type RequestedMemory } from './memory.js'
import { withErrorScope } from './scopes.js'
import { WorkDone } from './work-done.js'

/** The name and the purpose of a submit. */
export interface SubmittedWork {
  /** The label of the GPU objects that are made for it. */
  readonly label: string
  /** Completes "The device refused the work for ...": 'the statistics', or a parameter's name in quotes. */
  readonly subject: string
  /** The memory that the work needs. This error is checked first, because without the memory the commands are refused too. */
  readonly memory?: RequestedMemory
}

/**
 * Submits the commands that `encode` records. It catches no errors: the caller uses an error scope of its own.
 * @returns the time of the submit, as given by `performance.now()`
 */
export function sendCommands(device: GPUDevice, label: string, encode: (encoder: GPUCommandEncoder) => void): number {
  const encoder = device.createCommandEncoder({ label })
  encode(encoder)
  const commands = encoder.finish({ label })
  const began = performance.now()
  device.queue.submit([commands])
  return began
}

/**
 * Submits one compute pass, synchronously, before it returns its promise. `encode` may also write buffers.
 * @returns the milliseconds that the device took
 * @throws DeviceLostError, OutOfMemoryError; WeightInitError `DEVICE_ERROR` naming the subject
 */
export async function submit(
  state: DeviceState,
  { label, subject, memory }: SubmittedWork,
  encode: (pass: GPUComputePassEncoder) => void,
): Promise<number> {
  const done = new WorkDone(state)
  try {
    const { result: began, error } = withErrorScope(state.device, 'validation', () =>
      sendCommands(state.device, label, (encoder) => {
        const pass = encoder.beginComputePass({ label })
        encode(pass)
        pass.end()
        done.mark(encoder)
      }),
    )
    const worked = done.wait().then(() => performance.now() - began)
    const [noMemory, problem, milliseconds] = await untilLost(state, Promise.all([memory?.error, error, worked]))
    if (memory !== undefined && noMemory) throw outOfMemory(memory, noMemory)
    if (problem !== null) {
      throw new WeightInitError('DEVICE_ERROR', `The device refused the work for ${subject}: ${problem.message}`, {
        cause: problem,
      })
    }
    return milliseconds
  } finally {
    done.destroy()
  }
}
