import { DeviceLostError } from '../errors.js'

/** What this package keeps per device. It goes with the device: nothing here outlives or owns it. */
export interface DeviceState {
  readonly device: GPUDevice
  /** Pipelines by key; a failed compile is taken out again, so that it can be retried. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>
  readonly layouts: Map<string, GPUBindGroupLayout>
  lost: GPUDeviceLostInfo | undefined
}

let states: WeakMap<GPUDevice, DeviceState> | undefined

export function deviceState(device: GPUDevice): DeviceState {
  states ??= new WeakMap()
  let state = states.get(device)
  if (state === undefined) {
    state = { device, pipelines: new Map(), layouts: new Map(), lost: undefined }
    states.set(device, state)
    const kept = state
    device.lost.then((info) => {
      kept.lost = info
      kept.pipelines.clear()
    })
  }
  return state
}

/** @throws DeviceLostError when the device is known to be lost */
export function requireAlive(state: DeviceState): void {
  if (state.lost !== undefined) throw lostError(state.lost)
}

export function lostError(info: GPUDeviceLostInfo, cause?: unknown): DeviceLostError {
  const why = info.reason === 'destroyed' ? 'it was destroyed' : info.message || 'the driver gave no reason'
  return new DeviceLostError(
    `The GPU device is lost: ${why}. Request a new device and initialise again with the same seed: the values will be the same.`,
    cause === undefined ? undefined : { cause },
  )
}

/**
 * Runs GPU work that ends by itself also when the device is lost meanwhile: a promise of a lost device may stay
 * pending, or reject with an error that does not say why.
 */
export async function untilLost<T>(state: DeviceState, work: Promise<T>): Promise<T> {
  requireAlive(state)
  const lost = state.device.lost.then((info): never => {
    throw lostError(info)
  })
  // Whichever loses the race must not become an unhandled rejection.
  lost.catch(() => {})
  work.catch(() => {})
  try {
    return await Promise.race([work, lost])
  } catch (error) {
    // The rejection of the work may arrive a turn before the news that the device is gone.
    await Promise.resolve()
    if (state.lost !== undefined && !(error instanceof DeviceLostError)) throw lostError(state.lost, error)
    throw error
  }
}
