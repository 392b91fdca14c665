import { DeviceLostError } from '../../core/errors.js'
import type { BindingLayout } from '../shaders/pipeline-key.js'
import { shaderModules } from '../shaders/shader-modules.js'
import { type Speed, unknownSpeed } from './submit-budget.js'

/** What this package keeps per device. It goes with the device: nothing here outlives or owns it. */
export interface DeviceState {
  readonly device: GPUDevice
  /** Pipelines by key; a failed compile is taken out again, so that it can be retried. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>
  readonly layouts: Map<BindingLayout, GPUBindGroupLayout>
  /** How fast the device was, for the length of submits. */
  readonly speed: Speed
  /** Scratch buffers that a call left for the next one, by what they are for: src/gpu/device/scratch.ts. */
  readonly scratch: Map<string, CachedScratch>
  /** Pipelines that have shown here that they compute right; a failure is taken out again. */
  readonly selfTests: Map<string, Promise<void>>
  /** Called once when the device is lost. A set, since a reaction to `device.lost` could never be taken back. */
  readonly onLost: Set<(info: GPUDeviceLostInfo) => void>
  /** The shader modules to link; tests put faulty ones here. */
  modules: Readonly<Record<string, string>>
  lost: GPUDeviceLostInfo | undefined
}

let states: WeakMap<GPUDevice, DeviceState> | undefined

export function deviceState(device: GPUDevice): DeviceState {
  states ??= new WeakMap()
  let state = states.get(device)
  if (state === undefined) {
    state = {
      device,
      pipelines: new Map(),
      layouts: new Map(),
      speed: unknownSpeed(),
      scratch: new Map(),
      selfTests: new Map(),
      onLost: new Set(),
      modules: shaderModules,
      lost: undefined,
    }
    states.set(device, state)
    const kept = state
    device.lost.then((info) => {
      kept.lost = info
      kept.pipelines.clear()
      kept.selfTests.clear()
      for (const listener of kept.onLost) listener(info)
      kept.onLost.clear()
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
  let listener: (info: GPUDeviceLostInfo) => void = () => {}
  const lost = new Promise<never>((_, reject) => {
    listener = (info) => reject(lostError(info))
  })
  state.onLost.add(listener)
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
  } finally {
    state.onLost.delete(listener)
  }
}

/** Buffers that wait for a next call, and the timer that ends the wait. */
export interface CachedScratch {
  readonly buffers: Readonly<Record<string, GPUBuffer>>
  readonly timer: ReturnType<typeof setTimeout>
}
