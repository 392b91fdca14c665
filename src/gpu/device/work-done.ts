import { eventLoopTurn } from '../../core/event-loop.js'
import { isCpuAdapter } from './adapter-info.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from './constants.js'
import type { DeviceState } from './device-state.js'

/** So long the device is asked without rest: short work ends meanwhile. */
const EAGER_MS = 1
/** Turns of the event loop in which Dawn looks at its device and an answer arrives. */
const TURNS = 3
/** A rest is a twentieth of the time that has passed, within these bounds: work ends at most so much before it is noticed. */
const REST = { share: 1 / 20, leastMs: 1, mostMs: 5 }

/**
 * Waits for a device without being in its way.
 *
 * Dawn for Node turns the event loop without rest while a promise of its device is pending. With a CPU as the device that
 * takes a core from the very work that is waited for. So there a word of memory, which the commands clear at their end, is
 * asked to be mapped; where it is not at once, the request is taken back (`unmap`), which leaves no promise pending, and made
 * again after a rest. Elsewhere it is `onSubmittedWorkDone`.
 */
export class WorkDone {
  readonly #state: DeviceState
  readonly #fence: GPUBuffer | undefined
  #destroyed = false

  constructor(state: DeviceState) {
    this.#state = state
    if (!asksByTurning(state)) return
    const usage = USAGE_MAP_READ | USAGE_COPY_DST
    this.#fence = state.device.createBuffer({ label: 'webgpu-init fence', size: 4, usage })
  }

  /** Goes after the last of the commands that are waited for, before they are submitted. */
  mark(encoder: GPUCommandEncoder): void {
    if (this.#fence !== undefined) encoder.clearBuffer(this.#fence)
  }

  /** Resolves when the device has done what was marked, and whatever was submitted before. */
  async wait(): Promise<void> {
    const began = performance.now()
    const passed = (): number => performance.now() - began
    while (this.#fence !== undefined) {
      const answer = await askOnce(this.#fence, passed)
      if (answer === 'mapped' || this.#destroyed || this.#state.lost !== undefined) return
      // The device may have no memory for a fence.
      if (answer === 'refused') break
      const rest = Math.min(REST.mostMs, Math.max(REST.leastMs, REST.share * passed()))
      await new Promise<void>((resolve) => setTimeout(resolve, rest))
    }
    await this.#state.device.queue.onSubmittedWorkDone()
  }

  /** Ends a wait as well. */
  destroy(): void {
    this.#destroyed = true
    this.#fence?.destroy()
  }
}

/** Whether the fence can be mapped now; no promise of the device is left. */
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
  for (let turn = 0; answer === 'not yet' && (turn < TURNS || passed() < EAGER_MS); turn++) await eventLoopTurn()
  const found = answer
  fence.unmap()
  return found
}

const asksByTurning = ({ device }: DeviceState): boolean => typeof setImmediate === 'function' && isCpuAdapter(device)
