import type { PartGeometry } from '../../ir/part.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import { alignUp } from '../device/windows.js'
import { jobLayout, MOST_SHARING } from './layouts.js'
import type { BlockPlace } from './pack-job.js'
import { packPart, partLayout } from './part-layout.js'

/** The uniform blocks of one submit's dispatches. Writes are ordered with submits, so every submit reuses them. */
export class UniformBlocks {
  readonly jobs: GPUBuffer
  readonly parts: GPUBuffer | undefined
  readonly byteLength: number
  /** What the device says about the memory for them. */
  readonly error: Promise<GPUError | null>
  readonly #device: GPUDevice
  readonly #jobStride: number
  readonly #partStride: number
  /** What the next write puts into `jobs` and `parts`. */
  readonly #jobBytes: DataView<ArrayBuffer>
  readonly #partBytes: DataView<ArrayBuffer>
  #jobsEnd = 0
  #partsEnd = 0

  /**
   * @param count dispatches of a submit, at most
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
    // A dispatch of many jobs sees as many blocks as there can be, however few there are.
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

  /** Forgets the blocks of the submit before. */
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

  /** A block of zeros for a dispatch, or one right behind the last: another job of the same dispatch. */
  add(behind = false): BlockPlace {
    const at = behind ? this.#jobsEnd : alignUp(this.#jobsEnd, this.#jobStride)
    this.#jobsEnd = at + jobLayout.byteLength
    return { view: this.#jobBytes, at }
  }

  /** Whether the last dispatch's blocks can have another behind them. */
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
