// When a device is asked whether it is done: on a CPU adapter in Node late, everywhere else at once.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DeviceState } from '../../src/gpu/device-state.js'
import { workDone } from '../../src/gpu/work-done.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A device whose work takes `takes` milliseconds from its submit on, and when it was asked. */
function fakeState(isFallbackAdapter: boolean): {
  state: DeviceState
  run: (amount: number, takes: number) => Promise<number>
} {
  let begun = 0
  let takes = 0
  let asked = 0
  const onSubmittedWorkDone = async (): Promise<void> => {
    asked = performance.now() - begun
    const left = takes - asked
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left))
  }
  const device = { queue: { onSubmittedWorkDone }, adapterInfo: { isFallbackAdapter } }
  const state = { device, paces: new Map() } as unknown as DeviceState
  return {
    state,
    async run(amount, milliseconds) {
      begun = performance.now()
      takes = milliseconds
      const done = workDone(state, 'fill', amount)
      await vi.advanceTimersByTimeAsync(10_000)
      await done
      return asked
    },
  }
}

test('the first time teaches nothing: drivers compile in it', async () => {
  const { run } = fakeState(true)
  expect(await run(100, 500)).toBe(0)
  expect(await run(100, 50)).toBe(0)
  expect(await run(100, 50)).toBe(45)
})

test('the wait grows with the work, and little work says little of much', async () => {
  const { run } = fakeState(true)
  await run(100, 50)
  await run(100, 50)
  expect(await run(200, 100)).toBe(90)
  // 100,000 units at 0.5 ms are 50 s; what was measured were 100 ms.
  expect(await run(100_000, 300)).toBe(360)
  expect(await run(100_000, 300)).toBeLessThan(330)
})

test('a wait that is too short to be worth a timer is none', async () => {
  const { run } = fakeState(true)
  await run(100, 2)
  await run(100, 2)
  expect(await run(100, 2)).toBe(0)
})

test('work that became faster is waited for too long once, work that became slower never', async () => {
  const { run } = fakeState(true)
  await run(100, 100)
  await run(100, 100)
  expect(await run(100, 20)).toBe(90)
  expect(await run(100, 200)).toBeLessThanOrEqual(90)
})

test('each kind of work has its own pace', async () => {
  const { state, run } = fakeState(true)
  await run(100, 50)
  await run(100, 50)
  const other = workDone(state, 'other', 100)
  await vi.advanceTimersByTimeAsync(0)
  await vi.advanceTimersByTimeAsync(10_000)
  await other
  expect(await run(100, 50)).toBe(45)
})

test('a GPU is asked at once', async () => {
  const { run } = fakeState(false)
  for (const _ of [1, 2, 3, 4]) expect(await run(100, 50)).toBe(0)
})
