import { adapterInfoOf } from './adapter-info.js'
import type { DeviceState } from './device-state.js'

/** Of the time that the work should take, how much passes before the device is asked. */
const PATIENCE = 0.9
/** Timers are no finer. */
const SHORTEST_MS = 2
/** An estimate that was too long by an accident is lowered at once, one that was too short grows slowly. */
const GROWTH = 1.05
/** How much longer than what was measured a wait may be: a little work says little of much. */
const STRETCH = 4

/** What was learnt of a kind of work; nothing from its first time, in which drivers compile. */
export interface Pace {
  /** Milliseconds per unit, the least that was seen, and of how many milliseconds it was told. */
  readonly perUnit: number
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
  const wait = pace === undefined ? 0 : PATIENCE * Math.min(pace.perUnit * amount, STRETCH * pace.milliseconds)
  if (wait >= SHORTEST_MS) await new Promise<void>((resolve) => setTimeout(resolve, wait))
  await device.queue.onSubmittedWorkDone()
  const milliseconds = performance.now() - began
  const perUnit = milliseconds / amount
  if (pace === undefined) paces.set(kind, { perUnit: Number.POSITIVE_INFINITY, milliseconds: 0 })
  else if (perUnit < GROWTH * pace.perUnit) paces.set(kind, { perUnit, milliseconds })
  else paces.set(kind, { perUnit: GROWTH * pace.perUnit, milliseconds: pace.milliseconds })
}

const asksByTurning = ({ device }: DeviceState): boolean =>
  typeof setImmediate === 'function' && adapterInfoOf(device)?.isFallbackAdapter === true
