// When the device is asked whether it is done: on a CPU adapter in Node not before most of the expected time has passed.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DeviceState } from '../../src/gpu/device-state.js'
import { workDone } from '../../src/gpu/work-done.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A device that is done `milliseconds` after the submit. Says after how many it was asked, and after how many all ended. */
async function run(state: DeviceState, milliseconds: number, amount: number): Promise<[asked: number, ended: number]> {
  const began = performance.now()
  let asked = -1
  state.device.queue.onSubmittedWorkDone = () => {
    asked = performance.now() - began
    const left = milliseconds - asked
    return left <= 0 ? Promise.resolve(undefined) : new Promise((resolve) => setTimeout(() => resolve(undefined), left))
  }
  let ended = -1
  const call = workDone(state, 'test', amount).then(() => {
    ended = performance.now() - began
  })
  await vi.advanceTimersByTimeAsync(1000)
  await call
  return [asked, ended]
}

const stateOf = (isFallbackAdapter: boolean): DeviceState =>
  ({ device: { adapterInfo: { isFallbackAdapter }, queue: {} }, paces: new Map() }) as never

test('a GPU is asked at once, always', async () => {
  const state = stateOf(false)
  for (let i = 0; i < 4; i++) expect(await run(state, 100, 10)).toEqual([0, 100])
})

test('a CPU is asked after nine tenths of the time that the work before took, per unit', async () => {
  const state = stateOf(true)
  // The first work compiled; the second is the first that counts.
  expect(await run(state, 900, 10)).toEqual([0, 900])
  expect(await run(state, 100, 10)).toEqual([0, 100])
  expect(await run(state, 100, 10)).toEqual([90, 100])
  expect(await run(state, 50, 5)).toEqual([45, 50])
  // Slower work raises the estimate by a twentieth, not more; short work is asked for at once.
  expect(await run(state, 400, 10)).toEqual([90, 400])
  expect(await run(state, 400, 10)).toEqual([94, 400])
  expect(await run(state, 2, 0.1)).toEqual([0, 2])
})

test('an estimate that was too long is lost soon, and no wait is longer than a quarter of a second', async () => {
  const state = stateOf(true)
  await run(state, 1, 1)
  await run(state, 200, 1)
  expect(await run(state, 900, 4)).toEqual([250, 900])
  const ends: number[] = []
  for (let i = 0; i < 5; i++) ends.push((await run(state, 10, 1))[1])
  expect(ends[0]).toBeGreaterThan(180)
  expect(ends[4]).toBeLessThan(15)
})

test('a little work says little of much', async () => {
  const state = stateOf(true)
  await run(state, 1, 1)
  expect(await run(state, 5, 1)).toEqual([0, 5])
  // At 5 ms a unit these were 500 ms.
  expect(await run(state, 30, 100)).toEqual([18, 30])
  expect((await run(state, 30, 100))[0]).toBe(27)
})
