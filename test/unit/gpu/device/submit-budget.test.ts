// The length of submits, on devices of every speed: short enough for a watchdog, few enough to cost nothing.
import { describe, expect, test } from 'vitest'
import { SubmitBudget, unknownSpeed } from '../../../../src/gpu/device/submit-budget.js'

/** Runs `elements` through a simulated device; the milliseconds of every submit. */
function simulate(
  elements: readonly { id: string; count: number }[],
  rates: Readonly<Record<string, number>>,
  options: { dispatchMs?: number; latencyMs?: number; watched?: boolean; speed?: ReturnType<typeof unknownSpeed> } = {},
): number[] {
  const { dispatchMs = 0.005, latencyMs = 1, watched = false, speed = unknownSpeed() } = options
  const budget = new SubmitBudget(speed, watched)
  const times: number[] = []
  const queue = elements.map((one) => ({ ...one }))
  while (queue.length > 0) {
    let ms = latencyMs
    for (;;) {
      const first = queue[0]
      if (first === undefined) break
      const taken = budget.take(first.id, first.count)
      if (taken === 0) break
      if (taken !== first.count && taken % 8 !== 0)
        expect.fail(`${taken} of ${first.count} elements are no whole words`)
      first.count -= taken
      ms += taken / rates[first.id]! + dispatchMs
      if (first.count === 0) queue.shift()
    }
    times.push(ms)
    budget.done(ms)
  }
  return times
}

describe('SubmitBudget', () => {
  test.each([
    ['SwiftShader', 14_000, 220],
    ['lavapipe', 118_000, 30],
    ['an integrated GPU', 2_000_000, 9],
    ['a large GPU', 100_000_000, 8],
  ])('3 G elements on %s: no submit over half a second, and few of them', (_, rate, perElements) => {
    const times = simulate([{ id: 'normal', count: 3e9 }], { normal: rate })
    expect(Math.max(...times)).toBeLessThanOrEqual(500)
    const least = 3e9 / rate / 250
    expect(times.length).toBeLessThanOrEqual(Math.max(perElements, 1.3 * least + 6))
  })

  test('pipelines of different speed do not mislead each other', () => {
    const kinds = ['constant', 'normal', 'constant', 'uniform', 'normal']
    const work = kinds.map((id) => ({ id, count: 2e8 }))
    const times = simulate(work, { constant: 600_000, uniform: 230_000, normal: 19_000 })
    expect(Math.max(...times)).toBeLessThanOrEqual(500)
  })

  test('a small model is one submit, 10,000 parameters are three or four', () => {
    expect(simulate([{ id: 'normal', count: 2e6 }], { normal: 14_000 })).toHaveLength(1)
    const many = Array.from({ length: 10_000 }, () => ({ id: 'normal', count: 1000 }))
    const speed = unknownSpeed()
    for (let call = 0; call < 5; call++) {
      expect(simulate(many, { normal: 118_000 }, { dispatchMs: 0.03, speed }).length).toBeLessThanOrEqual(5)
    }
  })

  test('watched calls hear an abort within a fifth of a second', () => {
    const times = simulate([{ id: 'normal', count: 1e8 }], { normal: 19_000 }, { watched: true })
    expect(Math.max(...times.slice(1))).toBeLessThanOrEqual(200)
    expect(times[0]).toBeLessThanOrEqual(250)
  })

  test('a device that slows down is given less', () => {
    const speed = unknownSpeed()
    simulate([{ id: 'normal', count: 1e9 }], { normal: 1_000_000 }, { speed })
    const times = simulate([{ id: 'normal', count: 1e8 }], { normal: 300_000 }, { speed })
    expect(Math.max(...times.slice(1))).toBeLessThanOrEqual(300)
  })

  test('the latency of small submits does not slow the next large one', () => {
    const speed = unknownSpeed()
    for (let i = 0; i < 100; i++) simulate([{ id: 'normal', count: 1000 }], { normal: 1e6 }, { speed, latencyMs: 20 })
    expect(simulate([{ id: 'normal', count: 1e6 }], { normal: 1e6 }, { speed })).toHaveLength(1)
  })
})
