import type { PlannedParameter } from '../../ir/plan.js'
import type { PendingRange, RangeReader } from '../../store/weight-store.js'
import { type DeviceState, requireAlive } from '../device/device-state.js'
import { beginCopy, makeStaging, readSegments, type Staging } from '../device/readback.js'
import type { GpuSegment } from '../device/segments.js'
import { alignUp } from '../device/windows.js'

/**
 * Reads through two staging buffers that are reused for every range: on some devices new memory, and not the copy, is what
 * makes a readback slow. The buffers are made when they are first needed.
 */
export class GpuRangeReader implements RangeReader {
  readonly #state: DeviceState
  readonly #byteLength: number
  readonly #segmentsOf: (parameter: PlannedParameter) => readonly GpuSegment[]
  readonly #staging: [Staging | undefined, Staging | undefined] = [undefined, undefined]
  /** Which of the two buffers is used next. */
  #next: 0 | 1 = 0

  constructor(
    state: DeviceState,
    byteLength: number,
    segmentsOf: (parameter: PlannedParameter) => readonly GpuSegment[],
  ) {
    this.#state = state
    this.#byteLength = alignUp(byteLength, 4)
    this.#segmentsOf = segmentsOf
  }

  begin(parameter: PlannedParameter, start: number, length: number): PendingRange {
    const segments = this.#segmentsOf(parameter)
    let before = 0
    for (const { buffer, byteOffset, byteLength } of segments) {
      const from = start - before
      if (from >= 0 && from + length <= byteLength) {
        requireAlive(this.#state)
        return beginCopy(this.#state, this.#nextStaging(), buffer, byteOffset + from, length)
      }
      before += byteLength
    }
    // Ranges that cross a segment boundary are rare.
    const reading = readSegments(this.#state, segments, start, length)
    reading.catch(() => {})
    return async (look) => look(await reading)
  }

  #nextStaging(): Staging {
    const index = this.#next
    this.#next = index === 0 ? 1 : 0
    const staging = this.#staging[index] ?? makeStaging(this.#state, this.#byteLength)
    this.#staging[index] = staging
    return staging
  }

  destroy(): void {
    for (const staging of this.#staging) staging?.buffer.destroy()
  }
}
