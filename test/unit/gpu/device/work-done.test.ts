// Waiting for a device: on a CPU adapter in Node in rests between which no promise is pending, everywhere else at once.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DeviceState } from '../../../../src/gpu/device/device-state.js'
import { WorkDone } from '../../../../src/gpu/device/work-done.js'

/** How long a turn of the event loop takes on the clock of these tests. */
const TURN_MS = 0.25

/** A clock that only the library's own turns and rests move: what the machine does meanwhile takes no time. */
class Clock {
  now = 0
  /** Of the time that has passed, the milliseconds with a promise of a device's pending. */
  pendingMs = 0
  readonly devices: FakeDevice[] = []
  readonly #alarms: { readonly at: number; readonly act: () => void }[] = []

  /** Acts when the clock shows `ms` more. */
  after(ms: number, act: () => void): void {
    this.#alarms.push({ at: this.now + ms, act })
  }

  /** Passes time; devices answer and alarms go off at its end. */
  pass(ms: number): void {
    if (this.devices.some(({ pending }) => pending > 0)) this.pendingMs += ms
    this.now += ms
    for (const device of this.devices) device.look()
    const due = this.#alarms.filter(({ at }) => at <= this.now)
    for (const alarm of due) {
      this.#alarms.splice(this.#alarms.indexOf(alarm), 1)
      alarm.act()
    }
  }
}

let clock: Clock
beforeEach(() => {
  clock = new Clock()
  const turn = setImmediate
  vi.spyOn(performance, 'now').mockImplementation(() => clock.now)
  const take = (ms: number, act: () => void): void => {
    turn(() => {
      clock.pass(ms)
      act()
    })
  }
  vi.stubGlobal('setImmediate', (act: () => void) => take(TURN_MS, act))
  vi.stubGlobal('setTimeout', (act: () => void, ms: number) => take(ms, act))
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

interface FakeDevice {
  readonly state: DeviceState
  /** Promises of the device that are pending now: while there are some, Dawn turns the event loop. */
  pending: number
  fences: number
  live: number
  asked: number
  readonly done: ReturnType<typeof vi.fn>
  encoder: GPUCommandEncoder
  /** Settles what is pending, if it can be. */
  look: () => void
}

/** A device that is done `milliseconds` from now, as Dawn's would be: it answers when the event loop turns. */
function fakeDevice(milliseconds: number, isFallbackAdapter = true, refuses = false): FakeDevice {
  const end = clock.now + milliseconds
  const waiting = new Set<() => void>()
  const fake: FakeDevice = {
    state: { lost: undefined } as DeviceState,
    pending: 0,
    fences: 0,
    live: 0,
    asked: 0,
    done: vi.fn(async () => undefined),
    encoder: { clearBuffer: vi.fn() } as unknown as GPUCommandEncoder,
    look: () => {
      for (const look of waiting) look()
    },
  }
  clock.devices.push(fake)
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
            waiting.delete(look)
            fake.pending--
            abort = undefined
            act()
          }
          const look = (): void => {
            if (refuses) settle(() => reject(new Error('lost')))
            else if (clock.now >= end) settle(resolve)
          }
          waiting.add(look)
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
  await work.wait()
  work.destroy()
  // A rest is 5 ms at most.
  expect(clock.now).toBeGreaterThanOrEqual(60)
  expect(clock.now).toBeLessThan(60 + 5 + 4 * TURN_MS)
  expect(fake.asked).toBeGreaterThan(3)
  expect(clock.pendingMs).toBeLessThan(clock.now / 2)
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
  clock.after(20, () => Object.assign(fake.state, { lost: { reason: 'unknown', message: '' } }))
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
  clock.after(20, () => other.destroy())
  await other.wait()
  expect([endless.pending, endless.live, endless.done.mock.calls.length]).toEqual([0, 0, 0])
})
