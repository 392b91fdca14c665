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
/** A wait is at most so many times what its pace was measured on: a little work says little of much. */
const STRETCH = 4

/** How long a kind of work takes. */
export interface Pace {
  /** Milliseconds per unit; infinite before the second time. */
  readonly perUnit: number
  /** What it was measured on. */
  readonly milliseconds: number
}

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
  const estimate =
    pace === undefined
      ? 0
      : Math.min(LONGEST_MS, PATIENCE * Math.min(pace.perUnit * amount, STRETCH * pace.milliseconds))
  const waits = estimate >= SHORTEST_MS
  if (waits) await new Promise<void>((resolve) => setTimeout(resolve, estimate))
  const asked = performance.now()
  await device.queue.onSubmittedWorkDone()
  const now = performance.now()
  paces.set(kind, nextPace(pace, now - began, amount, waits && now - asked < READY_MS))
}

function nextPace(pace: Pace | undefined, milliseconds: number, amount: number, waitedTooLong: boolean): Pace {
  // The first work of a kind says nothing: drivers compile then.
  if (pace === undefined) return { perUnit: Number.POSITIVE_INFINITY, milliseconds: 0 }
  const perUnit = milliseconds / amount
  if (waitedTooLong) return { ...pace, perUnit: Math.min(pace.perUnit, perUnit) / 2 }
  return perUnit < GROWTH * pace.perUnit ? { perUnit, milliseconds } : { ...pace, perUnit: GROWTH * pace.perUnit }
}

const asksByTurning = ({ device }: DeviceState): boolean =>
  typeof setImmediate === 'function' && adapterInfoOf(device)?.isFallbackAdapter === true
