import type { PlannedParameter } from '../../ir/plan.js'
import type { PendingRange, RangeReader } from '../../store/weight-store.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from '../device/constants.js'
import { type DeviceState, requireAlive, untilLost } from '../device/device-state.js'
import { readSegments, refuseReadback } from '../device/readback.js'
import { withErrorScope } from '../device/scopes.js'
import type { GpuSegment } from '../device/segments.js'
import { alignUp } from '../device/windows.js'

interface Staging {
  readonly buffer: GPUBuffer
  readonly noMemory: Promise<GPUError | null>
}

/**
 * Reads through two staging buffers that are kept: what makes a readback slow on some devices is new memory, not the copy.
 * They are made when they are needed.
 */
export class GpuRangeReader implements RangeReader {
  readonly #state: DeviceState
  readonly #byteLength: number
  readonly #segmentsOf: (parameter: PlannedParameter) => readonly GpuSegment[]
  readonly #staging: [Staging | undefined, Staging | undefined] = [undefined, undefined]
  #turn: 0 | 1 = 0

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
      if (from >= 0 && from + length <= byteLength) return this.#copy(buffer, byteOffset + from, length)
      before += byteLength
    }
    // Across segments: seldom.
    const reading = readSegments(this.#state, segments, start, length)
    reading.catch(() => {})
    return async (look) => look(await reading)
  }

  #copy(source: GPUBuffer, offset: number, length: number): PendingRange {
    requireAlive(this.#state)
    const { device } = this.#state
    const { buffer, noMemory } = this.#next()
    const padded = alignUp(length, 4)
    const copy = withErrorScope(device, 'validation', () => {
      const encoder = device.createCommandEncoder({ label: 'webgpu-init readback' })
      encoder.copyBufferToBuffer(source, offset, buffer, 0, padded)
      device.queue.submit([encoder.finish({ label: 'webgpu-init readback' })])
      const mapped = buffer.mapAsync(MAP_MODE_READ, 0, padded)
      // An abort or another range's failure may leave it untaken.
      mapped.catch(() => {})
      return mapped
    })
    copy.error.catch(() => {})
    return async (look) => {
      const [full, invalid] = await untilLost(this.#state, Promise.all([noMemory, copy.error]))
      refuseReadback(this.#byteLength, full, invalid)
      await untilLost(this.#state, copy.result)
      look(new Uint8Array(buffer.getMappedRange(0, padded), 0, length))
      buffer.unmap()
    }
  }

  #next(): Staging {
    const turn = this.#turn
    this.#turn = turn === 0 ? 1 : 0
    let staging = this.#staging[turn]
    if (staging === undefined) {
      const { device } = this.#state
      const { result, error } = withErrorScope(device, 'out-of-memory', () =>
        device.createBuffer({
          label: 'webgpu-init readback',
          size: this.#byteLength,
          usage: USAGE_MAP_READ | USAGE_COPY_DST,
        }),
      )
      error.catch(() => {})
      staging = { buffer: result, noMemory: error }
      this.#staging[turn] = staging
    }
    return staging
  }

  destroy(): void {
    for (const staging of this.#staging) staging?.buffer.destroy()
  }
}
