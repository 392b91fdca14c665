import type { PartGeometry } from '../../ir/part.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import { alignUp } from '../device/windows.js'
import { jobLayout, MOST_SHARING } from './layouts.js'
import type { BlockPlace } from './pack-job.js'
import { packPart, partLayout } from './part-layout.js'

/** The uniform blocks of the dispatches of one submit. Writes and submits keep their order, so every submit reuses them. */
export class UniformBlocks {
  readonly jobs: GPUBuffer
  readonly parts: GPUBuffer | undefined
  readonly byteLength: number
  /** The device's answer to the request for their memory: null if it was allocated. */
  readonly error: Promise<GPUError | null>
  readonly #device: GPUDevice
  readonly #jobStride: number
  readonly #partStride: number
  /** The bytes that the next `write` copies into `jobs` and `parts`. */
  readonly #jobBytes: DataView<ArrayBuffer>
  readonly #partBytes: DataView<ArrayBuffer>
  #jobsEnd = 0
  #partsEnd = 0

  /**
   * @param count the largest number of dispatches of a submit
   * @param withParts whether some jobs have a part
   * @param withSharing whether some dispatches have many jobs
   */
  constructor(
    { device }: DeviceState,
    { count, withParts, withSharing }: { count: number; withParts: boolean; withSharing: boolean },
  ) {
    const alignment = device.limits.minUniformBufferOffsetAlignment
    this.#device = device
    this.#jobStride = alignUp(jobLayout.byteLength, alignment)
    this.#partStride = alignUp(partLayout.byteLength, alignment)
    this.#jobBytes = new DataView(new ArrayBuffer(count * this.#jobStride))
    this.#partBytes = new DataView(new ArrayBuffer(withParts ? count * this.#partStride : 0))
    // A shared dispatch binds the largest possible number of blocks, even if it uses fewer.
    const unseen = withSharing ? MOST_SHARING * jobLayout.byteLength : 0
    const usage = USAGE_UNIFORM | USAGE_COPY_DST
    const make = (what: string, size: number) => device.createBuffer({ label: `webgpu-init ${what}`, size, usage })
    const made = withErrorScope(device, 'out-of-memory', () => [
      make('jobs', this.#jobBytes.byteLength + unseen),
      withParts ? make('parts', this.#partBytes.byteLength) : undefined,
    ])
    this.jobs = made.result[0]!
    this.parts = made.result[1]
    this.error = made.error
    this.byteLength = this.jobs.size + (this.parts?.size ?? 0)
  }

  /** Discards the blocks of the previous submit. */
  clear(): void {
    new Uint8Array(this.#jobBytes.buffer, 0, this.#jobsEnd).fill(0)
    new Uint8Array(this.#partBytes.buffer, 0, this.#partsEnd).fill(0)
    this.#jobsEnd = 0
    this.#partsEnd = 0
  }

  /** Whether there is room for another dispatch. */
  get hasRoom(): boolean {
    return alignUp(this.#jobsEnd, this.#jobStride) < this.#jobBytes.byteLength
  }

  /**
   * Adds a block of zeros.
   * @param behind false for a new dispatch; true for one more job of the last dispatch, directly behind its other blocks
   */
  add(behind = false): BlockPlace {
    const at = behind ? this.#jobsEnd : alignUp(this.#jobsEnd, this.#jobStride)
    this.#jobsEnd = at + jobLayout.byteLength
    return { view: this.#jobBytes, at }
  }

  /** Whether there is room for one more block of the last dispatch. */
  get hasRoomBehind(): boolean {
    return this.#jobsEnd + jobLayout.byteLength <= this.#jobBytes.byteLength
  }

  /** @returns the byte offset of the part's block */
  addPart(part: PartGeometry, first: number): number {
    const at = this.#partsEnd
    packPart(this.#partBytes, at, part, first)
    this.#partsEnd = at + this.#partStride
    return at
  }

  write(): void {
    this.#device.queue.writeBuffer(this.jobs, 0, this.#jobBytes.buffer, 0, this.#jobsEnd)
    if (this.parts !== undefined) {
      this.#device.queue.writeBuffer(this.parts, 0, this.#partBytes.buffer, 0, this.#partsEnd)
    }
  }

  destroy(): void {
    this.jobs.destroy()
    this.parts?.destroy()
  }
}
