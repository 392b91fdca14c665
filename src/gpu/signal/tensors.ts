import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import { type DeviceState, untilLost } from '../device/device-state.js'
import { outOfMemory, type RequestedMemory } from '../device/memory.js'
import { withErrorScope } from '../device/scopes.js'
import { alignUp } from '../device/windows.js'

/** The tensors of a measurement, as float32 buffers. Released buffers are reused. */
export class TensorPool {
  readonly #state: DeviceState
  readonly #batch: number
  readonly #made = new Set<GPUBuffer>()
  /** Released buffers by byte length, for the next tensor of that length. This is safe because the queue runs in order. */
  readonly #free = new Map<number, GPUBuffer[]>()
  /** The memory that was requested since the last `requireMemory`. */
  #requested: RequestedMemory[] = []

  constructor(state: DeviceState, batch: number) {
    this.#state = state
    this.#batch = batch
  }

  take(count: number): GPUBuffer {
    return this.#free.get(byteLengthOf(count))?.pop() ?? this.make(count)
  }

  /** A new buffer, for values that the host writes: work that is not yet submitted may still read a released buffer. */
  make(count: number): GPUBuffer {
    const { device } = this.#state
    const byteLength = byteLengthOf(count)
    const { result, error } = withErrorScope(device, 'out-of-memory', () =>
      device.createBuffer({
        label: 'webgpu-init signal tensor',
        size: byteLength,
        usage: USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST,
      }),
    )
    this.#made.add(result)
    this.#requested.push({ error, byteLength, purpose: `for the signal of a batch of ${this.#batch}` })
    return result
  }

  release(tensor: GPUBuffer): void {
    const free = this.#free.get(tensor.size) ?? []
    this.#free.set(tensor.size, free)
    free.push(tensor)
  }

  /** Waits for the device's answers to all requests. @throws OutOfMemoryError naming the bytes and the batch */
  async requireMemory(): Promise<void> {
    const requested = this.#requested
    this.#requested = []
    const errors = await untilLost(this.#state, Promise.all(requested.map(({ error }) => error)))
    for (const [index, error] of errors.entries()) {
      if (error !== null) throw outOfMemory(requested[index]!, error, ' Take a smaller batch, or free other buffers.')
    }
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy()
    this.#made.clear()
    this.#free.clear()
  }
}

const byteLengthOf = (count: number): number => alignUp(4 * count, 16)
