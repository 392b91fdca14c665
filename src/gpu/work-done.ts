import { adapterInfoOf } from './adapter-info.js'
import type { DeviceState } from './device-state.js'

/** Of the time that the work should take, how much passes before the device is asked. */
const PATIENCE = 0.9
/** Timers are no finer. */
const SHORTEST_MS = 2
/** No wait is longer, whatever was estimated. */
const LONGEST_MS = 250
/** An estimate that was too short grows slowly: the machine may have had something else to do. */
const GROWTH = 1.05
/** One that was so long that the device had been waiting is halved. */
const READY_MS = 1

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
  const estimate = Math.min(LONGEST_MS, PATIENCE * (pace ?? 0) * amount)
  const waits = estimate >= SHORTEST_MS && Number.isFinite(pace)
  if (waits) await new Promise<void>((resolve) => setTimeout(resolve, estimate))
  const asked = performance.now()
  await device.queue.onSubmittedWorkDone()
  const now = performance.now()
  paces.set(kind, nextPace(pace, (now - began) / amount, waits && now - asked < READY_MS))
}

/** The first work of a kind says nothing: drivers compile then. */
function nextPace(pace: number | undefined, measured: number, waitedTooLong: boolean): number {
  if (pace === undefined) return Number.POSITIVE_INFINITY
  return waitedTooLong ? pace / 2 : Math.min(measured, GROWTH * pace)
}

const asksByTurning = ({ device }: DeviceState): boolean =>
  typeof setImmediate === 'function' && adapterInfoOf(device)?.isFallbackAdapter === true
