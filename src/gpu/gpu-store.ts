import { decodeFloat32 } from '../core/decode.js'
import type { FloatDType } from '../core/dtype.js'
import { elementsError } from '../cpu/orthogonal.js'
import { segmentsOf } from '../fill/regions.js'
import type { DistributionOf } from '../ir/distribution.js'
import type { PlannedParameter } from '../ir/plan.js'
import type { MeasuredTensor } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import type { Repeats } from '../statistics/repeats.js'
import type { LookAtBoth, MeasureOptions, RangeReader, WeightStore } from '../store/weight-store.js'
import type { DeviceState } from './device/device-state.js'
import { readSegments } from './device/readback.js'
import type { GpuRegion, GpuSegment } from './device/segments.js'
import { alignUp } from './device/windows.js'
import { orthogonalityError } from './orthogonal/orthogonalize.js'
import { makeOrthogonalAgain } from './orthogonal/verify.js'
import { GpuMeasurer } from './statistics/measure.js'
import { GpuRangeReader } from './weights/range-reader.js'

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

  segmentsOf(parameter: PlannedParameter): readonly GpuSegment[] {
    return segmentsOf(this.region(parameter.name), parameter)
  }

  async readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array> {
    return readSegments(this.#state, this.segmentsOf(parameter), start, length)
  }

  reader(byteLength: number): RangeReader {
    return new GpuRangeReader(this.#state, byteLength, (parameter) => this.segmentsOf(parameter))
  }

  /** Writes bytes at `start` (a multiple of 4) of a parameter. Only for buffers that were made here. */
  async write(parameter: PlannedParameter, start: number, bytes: Uint8Array): Promise<void> {
    const padded = new Uint8Array(alignUp(bytes.length, 4))
    padded.set(bytes)
    let segmentStart = 0
    for (const { buffer, byteOffset, byteLength } of this.segmentsOf(parameter)) {
      const from = Math.max(start, segmentStart)
      const to = Math.min(start + padded.length, segmentStart + alignUp(byteLength, 4))
      if (to > from) {
        this.#state.device.queue.writeBuffer(buffer, byteOffset + from - segmentStart, padded, from - start, to - from)
      }
      segmentStart += byteLength
    }
  }

  async measure(
    tensors: readonly MeasuredTensor[],
    { repeats: wanted, signal }: MeasureOptions,
  ): Promise<{ measurements: Measurement[][]; repeats: Repeats }> {
    const anchored = tensors.filter(({ anchored }) => wanted && anchored)
    const measurer = new GpuMeasurer(
      this.#state,
      anchored.reduce((sum, { parameter }) => sum + parameter.elementCount, 0),
    )
    try {
      const located = tensors.map((tensor) => ({ tensor, segments: this.segmentsOf(tensor.parameter) }))
      return { measurements: await measurer.measure(located, signal), repeats: await measurer.repeats() }
    } finally {
      measurer.destroy()
    }
  }

  async orthogonalityError(parameter: PlannedParameter, signal?: AbortSignal): Promise<number> {
    const distribution = parameter.distribution as DistributionOf<'orthogonal'>
    const { dtype, byteLength, name } = parameter
    const region = this.region(name)
    if (distribution.field > 1 || region.segments !== undefined) {
      // The host measures tensors that are mostly zeros (a delta-orthogonal) or that lie in several buffers.
      const bytes = await this.readRange(parameter, 0, byteLength)
      return elementsError(distribution, decodeFloat32(bytes, dtype), signal)
    }
    const shape = { batch: distribution.batch, rows: distribution.rows, cols: distribution.columns }
    return orthogonalityError(this.#state, { ...region, dtype: dtype as FloatDType }, shape, distribution.gain, signal)
  }

  async makeOrthogonalAgain(parameter: PlannedParameter, look: LookAtBoth, signal?: AbortSignal): Promise<number> {
    const read = (start: number, length: number): Promise<Uint8Array> => this.readRange(parameter, start, length)
    return makeOrthogonalAgain(this.#state, parameter, read, look, signal)
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy()
  }
}
