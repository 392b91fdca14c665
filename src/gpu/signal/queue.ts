import type { DeviceState } from '../device/device-state.js'
import { type KernelDispatch, kernelLayout, runKernels } from '../pipelines/kernels.js'
import { pipeline } from '../pipelines/pipelines.js'
import { signalModules } from './modules.js'

/** The largest number of workgroups in one dimension of a dispatch. */
export const MAX_GROUPS = 65535

/** Collects dispatches of the shaders under shaders/signal until the next flush. */
export class SignalQueue {
  readonly #state: DeviceState
  readonly #signal: AbortSignal | undefined
  #pending: KernelDispatch[] = []

  constructor(state: DeviceState, signal: AbortSignal | undefined) {
    this.#state = state
    this.#signal = signal
  }

  async add(
    entry: string,
    dispatch: Omit<KernelDispatch, 'pipeline' | 'layout'>,
    slots: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const key = { entry: `signal/${entry}`, modules: signalModules, slots, layout: kernelLayout }
    const compiled = await pipeline(this.#state, key)
    this.#pending.push({ ...dispatch, pipeline: compiled, layout: kernelLayout })
  }

  /** Submits the collected dispatches. Resolves when the device has done them. */
  async flush(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    await runKernels(this.#state, { label: 'webgpu-init signal', subject: 'the signal' }, pending, this.#signal)
  }
}

/** A grid with at most one invocation per element. It may be smaller, because the shaders stride. */
export const gridOf = (elementCount: number): readonly [number, number, number] => [
  Math.min(MAX_GROUPS, Math.ceil(elementCount / 64)),
  1,
  1,
]
