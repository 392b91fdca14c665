import { eventLoopTurn } from '../event-loop.js'
import { adapterInfoOf } from './adapter-info.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from './constants.js'
import type { DeviceState } from './device-state.js'

/** So long the device is asked without rest: short work ends meanwhile. */
const EAGER_MS = 1
/** Turns of the event loop in which Dawn looks at its device and an answer arrives. */
const TURNS = 3
/** A rest is a twentieth of the time that has passed, within these bounds: work ends at most so much before it is noticed. */
const REST = { share: 1 / 20, leastMs: 1, mostMs: 5 }

/** Commands that are waited for: `mark` them before they are submitted. Every one that was marked must be waited for. */
export interface AwaitedWork {
  /** Goes after the last of the commands. */
  mark(encoder: GPUCommandEncoder): void
  /** Resolves when the device has done them, and whatever was submitted before. */
  done(): Promise<void>
}

/**
 * Waits for a device without being in its way.
 *
 * Dawn for Node turns the event loop without rest while a promise of its device is pending. With a CPU as the device that
 * takes a core from the very work that is waited for. So there a word of memory, which the commands clear at their end, is
 * asked to be mapped; where it is not at once, the request is taken back (`unmap`), which leaves no promise pending, and made
 * again after a rest. Elsewhere it is `onSubmittedWorkDone`.
 */
export function awaitedWork(state: DeviceState): AwaitedWork {
  const { device } = state
  if (!asksByTurning(state)) return { mark() {}, done: () => device.queue.onSubmittedWorkDone().then(() => {}) }
  let fence: GPUBuffer | undefined
  return {
    mark(encoder) {
      fence = device.createBuffer({ label: 'webgpu-init fence', size: 4, usage: USAGE_MAP_READ | USAGE_COPY_DST })
      encoder.clearBuffer(fence)
    },
    async done() {
      try {
        await untilMappable(state, fence!)
      } finally {
        fence?.destroy()
      }
    },
  }
}

async function untilMappable(state: DeviceState, fence: GPUBuffer): Promise<void> {
  const began = performance.now()
  const passed = (): number => performance.now() - began
  while (state.lost === undefined) {
    let answer: 'mapped' | 'refused' | undefined
    fence.mapAsync(MAP_MODE_READ).then(
      () => {
        answer = 'mapped'
      },
      () => {
        answer ??= 'refused'
      },
    )
    for (let turn = 0; answer === undefined && (turn < TURNS || passed() < EAGER_MS); turn++) await eventLoopTurn()
    if (answer === 'mapped') return
    // The device is lost, or has no fence for want of memory: it says so itself.
    if (answer === 'refused') return void (await state.device.queue.onSubmittedWorkDone())
    fence.unmap()
    const rest = Math.min(REST.mostMs, Math.max(REST.leastMs, REST.share * passed()))
    await new Promise<void>((resolve) => setTimeout(resolve, rest))
  }
}

const asksByTurning = ({ device }: DeviceState): boolean =>
  typeof setImmediate === 'function' && adapterInfoOf(device)?.isFallbackAdapter === true
