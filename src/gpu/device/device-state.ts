import { DeviceLostError } from '../../core/errors.js'
import type { BindingLayout } from '../shaders/pipeline-key.js'
import { shaderModules } from '../shaders/shader-modules.js'
import { type Speed, unknownSpeed } from './submit-budget.js'

/** What this package stores per device. It does not own the device, and it is garbage-collected together with it. */
export interface DeviceState {
  readonly device: GPUDevice
  /** Pipelines by key. A pipeline that fails to compile is removed, so that the next call can retry. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>
  readonly layouts: Map<BindingLayout, GPUBindGroupLayout>
  /** The measured speed of the device, which decides how much work goes into one submit. */
  readonly speed: Speed
  /** Scratch buffers that one call leaves for the next, by label: see src/gpu/device/scratch.ts. */
  readonly scratch: Map<string, CachedScratch>
  /** Self-tests by pipeline. A failed test is removed, so that the next call can retry. */
  readonly selfTests: Map<string, Promise<void>>
  /** Called once when the device is lost. This is a set, because a handler on the promise `device.lost` cannot be removed. */
  readonly onLost: Set<(info: GPUDeviceLostInfo) => void>
  /** The shader modules to link. Tests put faulty modules here. */
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
    const created = state
    device.lost.then((info) => {
      created.lost = info
      created.pipelines.clear()
      created.selfTests.clear()
      for (const listener of created.onLost) listener(info)
      created.onLost.clear()
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
 * Waits for GPU work, and also ends when the device is lost in the meantime. A promise of a lost device may stay pending
 * for ever, or reject with an error that does not say why.
 */
export async function untilLost<T>(state: DeviceState, work: Promise<T>): Promise<T> {
  requireAlive(state)
  let listener: (info: GPUDeviceLostInfo) => void = () => {}
  const lost = new Promise<never>((_, reject) => {
    listener = (info) => reject(lostError(info))
  })
  state.onLost.add(listener)
  // If `work` wins the race, the rejection of `lost` must not become an unhandled rejection.
  lost.catch(() => {})
  work.catch(() => {})
  try {
    return await Promise.race([work, lost])
  } catch (error) {
    // The work may reject a moment before the promise that reports the lost device.
    await Promise.resolve()
    if (state.lost !== undefined && !(error instanceof DeviceLostError)) throw lostError(state.lost, error)
    throw error
  } finally {
    state.onLost.delete(listener)
  }
}

/** Scratch buffers that wait for the next call, and the timer that destroys them. */
export interface CachedScratch {
  readonly buffers: Readonly<Record<string, GPUBuffer>>
  readonly timer: ReturnType<typeof setTimeout>
}
