import { elementsDefect } from '../cpu/orthogonal.js'
import { decodeFloat32 } from '../decode.js'
import type { FloatDType } from '../dtype.js'
import type { LawOf } from '../laws/types.js'
import type { PlannedParameter } from '../plan.js'
import type { Measurement } from '../statistics/measurement.js'
import type { Repeats } from '../statistics/repeats.js'
import type { Specimen } from '../statistics/specimen.js'
import type { MeasureOptions, WeightStore } from '../store.js'
import type { GpuRegion } from './allocate.js'
import type { DeviceState } from './device-state.js'
import { GpuMeasurer } from './measure.js'
import { orthogonalityDefect } from './orthogonal.js'
import { readSegments } from './readback.js'
import { segmentsOf } from './segments.js'
import { alignUp } from './windows.js'

/** Weights in GPU buffers. */
export class GpuStore implements WeightStore {
  readonly backend = 'webgpu'
  readonly #state: DeviceState
  readonly #regions: ReadonlyMap<string, GpuRegion>
  readonly #owned: readonly GPUBuffer[]

  constructor(state: DeviceState, regions: ReadonlyMap<string, GpuRegion>, owned: readonly GPUBuffer[]) {
    this.#state = state
    this.#regions = regions
    this.#owned = owned
  }

  get device(): GPUDevice {
    return this.#state.device
  }

  get state(): DeviceState {
    return this.#state
  }

  region(name: string): GpuRegion {
    return this.#regions.get(name)!
  }

  async readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array> {
    return readSegments(this.#state, segmentsOf(this.region(parameter.name), parameter), start, length)
  }

  /** Puts bytes at `start` (a multiple of 4) of a parameter, in buffers that were made here. */
  async write(parameter: PlannedParameter, start: number, bytes: Uint8Array): Promise<void> {
    const padded = new Uint8Array(alignUp(bytes.length, 4))
    padded.set(bytes)
    let segmentStart = 0
    for (const { buffer, byteOffset, byteLength } of segmentsOf(this.region(parameter.name), parameter)) {
      const from = Math.max(start, segmentStart)
      const to = Math.min(start + padded.length, segmentStart + alignUp(byteLength, 4))
      if (to > from) {
        this.#state.device.queue.writeBuffer(buffer, byteOffset + from - segmentStart, padded, from - start, to - from)
      }
      segmentStart += byteLength
    }
  }

  async measure(
    specimens: readonly Specimen[],
    { repeats: wanted, signal }: MeasureOptions,
  ): Promise<{ measurements: Measurement[][]; repeats: Repeats }> {
    const anchored = specimens.filter(({ anchored }) => wanted && anchored)
    const measurer = new GpuMeasurer(
      this.#state,
      anchored.reduce((sum, { parameter }) => sum + parameter.elementCount, 0),
    )
    try {
      const located = specimens.map((specimen) => {
        const { parameter } = specimen
        return { specimen, segments: segmentsOf(this.region(parameter.name), parameter) }
      })
      return { measurements: await measurer.measure(located, signal), repeats: await measurer.repeats() }
    } finally {
      measurer.destroy()
    }
  }

  async orthogonalityDefect(parameter: PlannedParameter): Promise<number> {
    const law = parameter.distribution as LawOf<'orthogonal'>
    if (law.field > 1) {
      // Small, and mostly zeros to be looked at: the host does it.
      const bytes = await this.readRange(parameter, 0, parameter.byteLength)
      return elementsDefect(law, decodeFloat32(bytes, parameter.dtype))
    }
    const region = { ...this.region(parameter.name), dtype: parameter.dtype as FloatDType }
    return orthogonalityDefect(this.#state, region, { batch: law.batch, rows: law.rows, cols: law.columns }, law.gain)
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy()
  }
}
