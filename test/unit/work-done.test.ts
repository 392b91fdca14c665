// Waiting for a device: on a CPU adapter in Node in rests between which no promise is pending, everywhere else at once.
import { expect, test, vi } from 'vitest'
import type { DeviceState } from '../../src/gpu/device/device-state.js'
import { WorkDone } from '../../src/gpu/device/work-done.js'

interface FakeDevice {
  readonly state: DeviceState
  /** Promises of the device that are pending now: while there are some, Dawn turns the event loop. */
  pending: number
  fences: number
  live: number
  asked: number
  readonly done: ReturnType<typeof vi.fn>
  encoder: GPUCommandEncoder
}

/** A device that is done `milliseconds` from now, as Dawn's would be: it answers when the event loop turns. */
function fakeDevice(milliseconds: number, isFallbackAdapter = true, refuses = false): FakeDevice {
  const end = performance.now() + milliseconds
  const fake: FakeDevice = {
    state: { lost: undefined } as DeviceState,
    pending: 0,
    fences: 0,
    live: 0,
    asked: 0,
    done: vi.fn(async () => undefined),
    encoder: { clearBuffer: vi.fn() } as unknown as GPUCommandEncoder,
  }
  const createBuffer = () => {
    fake.fences++
    fake.live++
    let abort: (() => void) | undefined
    return {
      mapAsync() {
        fake.asked++
        fake.pending++
        return new Promise<void>((resolve, reject) => {
          const settle = (act: () => void): void => {
            clearInterval(timer)
            fake.pending--
            abort = undefined
            act()
          }
          const timer = setInterval(() => {
            if (refuses) settle(() => reject(new Error('lost')))
            else if (performance.now() >= end) settle(resolve)
          }, 0)
          abort = () => settle(() => reject(new DOMException('unmapped', 'AbortError')))
        })
      },
      unmap: () => abort?.(),
      destroy() {
        abort?.()
        fake.live--
      },
    }
  }
  const device = { createBuffer, adapterInfo: { isFallbackAdapter }, queue: { onSubmittedWorkDone: fake.done } }
  Object.assign(fake.state, { device })
  return fake
}

test('a GPU is asked at once, with no fence', async () => {
  const fake = fakeDevice(50, false)
  const work = new WorkDone(fake.state)
  work.mark(fake.encoder)
  await work.wait()
  expect([fake.fences, fake.done.mock.calls.length]).toEqual([0, 1])
})

test('a CPU is asked again and again, and has no promise pending in between', async () => {
  const fake = fakeDevice(60)
  const work = new WorkDone(fake.state)
  work.mark(fake.encoder)
  expect(fake.encoder.clearBuffer).toHaveBeenCalledTimes(1)
  let looks = 0
  let idle = 0
  const look = setInterval(() => {
    looks++
    if (fake.pending === 0) idle++
  }, 1)
  const began = performance.now()
  await work.wait()
  clearInterval(look)
  work.destroy()
  expect(performance.now() - began).toBeGreaterThan(50)
  expect(fake.asked).toBeGreaterThan(3)
  expect(idle).toBeGreaterThan(looks / 2)
  expect([fake.pending, fake.live, fake.done.mock.calls.length]).toEqual([0, 0, 0])
})

test('a device that refuses is asked the other way', async () => {
  const fake = fakeDevice(10, true, true)
  const work = new WorkDone(fake.state)
  work.mark(fake.encoder)
  await work.wait()
  expect(fake.done).toHaveBeenCalledTimes(1)
  work.destroy()
  expect(fake.live).toBe(0)
})

test('a device that is lost meanwhile is not asked any more', async () => {
  const fake = fakeDevice(1e9)
  const work = new WorkDone(fake.state)
  work.mark(fake.encoder)
  setTimeout(() => Object.assign(fake.state, { lost: { reason: 'unknown', message: '' } }), 20)
  await work.wait()
  work.destroy()
  expect([fake.pending, fake.live, fake.done.mock.calls.length]).toEqual([0, 0, 0])
})

test('destroy ends a wait, and one fence serves wait after wait', async () => {
  const fake = fakeDevice(30)
  const work = new WorkDone(fake.state)
  for (let again = 0; again < 3; again++) await work.wait()
  expect(fake.fences).toBe(1)
  work.destroy()
  const endless = fakeDevice(1e9)
  const other = new WorkDone(endless.state)
  setTimeout(() => other.destroy(), 20)
  await other.wait()
  expect([endless.pending, endless.live, endless.done.mock.calls.length]).toEqual([0, 0, 0])
})
