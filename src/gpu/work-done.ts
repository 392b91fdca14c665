import { adapterInfoOf } from './adapter-info.js'
import type { DeviceState } from './device-state.js'

/** Of the time that the work should take, how much passes before the device is asked. */
const PATIENCE = 0.9
/** Timers are no finer. */
const SHORTEST_MS = 2
/** An estimate that was too long by an accident is lowered at once, one that was too short grows slowly. */
const GROWTH = 1.05

/**
 * Resolves when the device has done what was submitted: `amount` units of a kind of work.
 *
 * Dawn for Node turns the event loop without rest while a promise of its device is pending. With a CPU as the device that
 * takes a core from the very work that is waited for, so there the promise is made only when most of the time has passed
 * that the work should take, judged by the work of its kind before. Elsewhere at once.
 */
export async function workDone(state: DeviceState, kind: string, amount: number): Promise<void> {
  const { device, paces } = state
  if (!asksByTurning(state)) {
    await device.queue.onSubmittedWorkDone()
    return
  }
  const began = performance.now()
  const pace = paces.get(kind)
  const wait = pace === undefined ? 0 : PATIENCE * pace * amount
  if (wait >= SHORTEST_MS) await new Promise<void>((resolve) => setTimeout(resolve, wait))
  await device.queue.onSubmittedWorkDone()
  const measured = (performance.now() - began) / amount
  paces.set(kind, pace === undefined ? measured : Math.min(measured, GROWTH * pace))
}

const asksByTurning = ({ device }: DeviceState): boolean =>
  typeof setImmediate === 'function' && adapterInfoOf(device)?.isFallbackAdapter === true
