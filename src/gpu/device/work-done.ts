import { eventLoopTurn } from '../../core/event-loop.js'
import { isCpuAdapter } from './adapter-info.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from './constants.js'
import type { DeviceState } from './device-state.js'

/** For this many milliseconds the device is polled without a pause, because most work is short and ends in this time. */
const EAGER_MS = 1
/** Iterations of the event loop that Dawn needs to poll its device and to deliver the answer. */
const POLL_ITERATIONS = 3
/** A pause is a twentieth of the elapsed time, within these bounds. It is the longest delay before finished work is noticed. */
const PAUSE = { share: 1 / 20, leastMs: 1, mostMs: 5 }

/**
 * Waits for the device without slowing it down.
 *
 * While a promise of its device is pending, Dawn for Node runs the event loop without a pause. If the device is a CPU, this
 * takes a core away from the very work that it waits for. On such a device this class therefore polls: the last command
 * clears a small buffer, the fence, and the class asks to map that buffer. If the buffer is not mapped at once, `unmap`
 * cancels the request, so that no promise stays pending, and the class tries again after a pause. On every other device it
 * uses `onSubmittedWorkDone`.
 */
export class WorkDone {
  readonly #state: DeviceState
  readonly #fence: GPUBuffer | undefined
  #destroyed = false

  constructor(state: DeviceState) {
    this.#state = state
    if (!mustPoll(state)) return
    const usage = USAGE_MAP_READ | USAGE_COPY_DST
    this.#fence = state.device.createBuffer({ label: 'webgpu-init fence', size: 4, usage })
  }

  /** Records the fence. Call it after the last command to wait for, and before the submit. */
  mark(encoder: GPUCommandEncoder): void {
    if (this.#fence !== undefined) encoder.clearBuffer(this.#fence)
  }

  /** Resolves when the device has done the commands before the fence and everything that was submitted earlier. */
  async wait(): Promise<void> {
    const began = performance.now()
    const passed = (): number => performance.now() - began
    while (this.#fence !== undefined) {
      const answer = await askOnce(this.#fence, passed)
      if (answer === 'mapped' || this.#destroyed || this.#state.lost !== undefined) return
      // Mapping fails, for example, when the device has no memory for the fence.
      if (answer === 'refused') break
      const pause = Math.min(PAUSE.mostMs, Math.max(PAUSE.leastMs, PAUSE.share * passed()))
      await new Promise<void>((resolve) => setTimeout(resolve, pause))
    }
    await this.#state.device.queue.onSubmittedWorkDone()
  }

  /** Frees the fence. A `wait` in progress ends. */
  destroy(): void {
    this.#destroyed = true
    this.#fence?.destroy()
  }
}

/** Whether the fence can be mapped now. No promise of the device is pending afterwards. */
async function askOnce(fence: GPUBuffer, passed: () => number): Promise<'mapped' | 'refused' | 'not yet'> {
  let answer: 'mapped' | 'refused' | 'not yet' = 'not yet'
  fence.mapAsync(MAP_MODE_READ).then(
    () => {
      answer = 'mapped'
    },
    () => {
      answer = 'refused'
    },
  )
  for (let iteration = 0; answer === 'not yet' && (iteration < POLL_ITERATIONS || passed() < EAGER_MS); iteration++)
    await eventLoopTurn()
  const found = answer
  fence.unmap()
  return found
}

const mustPoll = ({ device }: DeviceState): boolean => typeof setImmediate === 'function' && isCpuAdapter(device)
