import { WeightInitError } from '../../core/errors.js'
import { type DeviceState, untilLost } from './device-state.js'
import { outOfMemory, type RequestedMemory } from './memory.js'
import { withErrorScope } from './scopes.js'
import { WorkDone } from './work-done.js'

/** What a submit is called, and what it is for. */
export interface SubmittedWork {
  /** Label of the GPU objects that are made for it. */
  readonly label: string
  /** Completes "The device refused the work for ...": 'the statistics', or a parameter's name in quotes. */
  readonly subject: string
  /** What the work needs. The commands are refused as well where it is missing, so this is looked at first. */
  readonly memory?: RequestedMemory
}

/**
 * Submits the commands that `encode` records. Whoever calls this judges the result by an error scope of their own.
 * @returns when it was submitted, as `performance.now()` counts
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
 * Submits one compute pass, before it returns its promise. `encode` may write buffers as well.
 * @returns the milliseconds that the device worked on it
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
