import { decodeFloat32 } from '../decode.js'
import { byteWidth, type FloatDType, isFloatDType } from '../dtype.js'
import { WeightInitError } from '../errors.js'
import type { LawOf } from '../laws/types.js'
import type { PlannedParameter } from '../plan.js'
import { type Moments, mergeMoments, momentsFromSums, momentsOf, noMoments } from '../statistics/moments.js'
import type { OrthogonalCheck, WeightStore } from '../store.js'
import type { GpuRegion } from './allocate.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE, USAGE_UNIFORM } from './constants.js'
import { type DeviceState, requireAlive, untilLost } from './device-state.js'
import { orthogonalityDefect } from './orthogonal.js'
import type { RunJobs } from './orthogonal-fill.js'
import { checkOrthogonalPart } from './orthogonal-verify.js'
import { bindGroupLayout, pipeline } from './pipelines.js'
import { copyOut } from './readback.js'
import { withErrorScope } from './scopes.js'
import { segmentsOf } from './segments.js'
import { alignUp, bindingWindows } from './windows.js'

const RECORD_BYTES = 32
const ELEMENTS_PER_GROUP = 16384
const MAX_GROUPS = 65535
/** A readback goes through a staging buffer of at most this many bytes. */
const STAGING_BYTES = 32 * 2 ** 20

/** Weights in GPU buffers. */
export class GpuStore implements WeightStore {
  readonly backend = 'webgpu'
  readonly #state: DeviceState
  readonly #regions: ReadonlyMap<string, GpuRegion>
  readonly #owned: readonly GPUBuffer[]
  readonly #runJobs: (state: DeviceState, ...targets: Parameters<RunJobs>) => Promise<void>

  /** @param runJobs that of execute.ts, which makes the stores */
  constructor(
    state: DeviceState,
    regions: ReadonlyMap<string, GpuRegion>,
    owned: readonly GPUBuffer[],
    runJobs: (state: DeviceState, ...targets: Parameters<RunJobs>) => Promise<void>,
  ) {
    this.#state = state
    this.#regions = regions
    this.#owned = owned
    this.#runJobs = runJobs
  }

  region(name: string): GpuRegion {
    return this.#regions.get(name)!
  }

  async readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length)
    let segmentStart = 0
    for (const { buffer, byteOffset, byteLength } of segmentsOf(this.region(parameter.name), parameter)) {
      const from = Math.max(start, segmentStart)
      const to = Math.min(start + length, segmentStart + byteLength)
      for (let at = from; at < to; at += STAGING_BYTES) {
        const part = Math.min(STAGING_BYTES, to - at)
        await copyOut(this.#state, buffer, byteOffset + at - segmentStart, part, (bytes) => out.set(bytes, at - start))
      }
      segmentStart += byteLength
    }
    return out
  }

  async moments(parameters: readonly PlannedParameter[]): Promise<Moments[]> {
    requireAlive(this.#state)
    const onGpu = parameters.filter(({ dtype }) => isFloatDType(dtype))
    const measured = new Map<string, Moments>()
    if (onGpu.length > 0) await this.#reduce(onGpu, measured)
    for (const parameter of parameters) {
      if (measured.has(parameter.name)) continue
      // Integer parameters are few and small (counters, masks): the host does them.
      const bytes = await this.readRange(parameter, 0, parameter.byteLength)
      measured.set(parameter.name, momentsOf(decodeFloat32(bytes, parameter.dtype), parameter.expected.mean))
    }
    return parameters.map(({ name }) => measured.get(name)!)
  }

  async #reduce(parameters: readonly PlannedParameter[], measured: Map<string, Moments>): Promise<void> {
    const { device } = this.#state
    let recordCount = 0
    const located = parameters.flatMap((parameter) =>
      segmentsOf(this.region(parameter.name), parameter).map((segment) => ({ parameter, ...segment })),
    )
    const work = located.flatMap(({ parameter, buffer, byteOffset, elementCount }) => {
      const width = byteWidth(parameter.dtype)
      return bindingWindows(
        { bufferByteLength: buffer.size, byteOffset, elementCount, byteWidth: width },
        device.limits,
      ).map((window) => {
        const perGroup = Math.max(ELEMENTS_PER_GROUP, Math.ceil(window.count / MAX_GROUPS))
        const groups = Math.ceil(window.count / perGroup)
        const firstRecord = recordCount
        recordCount += groups
        return { parameter, buffer, window, perGroup, groups, firstRecord }
      })
    })
    const stride = alignUp(32, device.limits.minUniformBufferOffsetAlignment)
    const blocks = new DataView(new ArrayBuffer(work.length * stride))
    work.forEach(({ parameter, window, perGroup, firstRecord }, index) => {
      const at = index * stride
      blocks.setUint32(at, window.count, true)
      blocks.setUint32(at + 4, window.firstWord, true)
      blocks.setUint32(at + 8, perGroup, true)
      blocks.setUint32(at + 12, firstRecord, true)
      blocks.setFloat32(at + 16, parameter.expected.mean, true)
    })
    const pipelines = new Map(
      await Promise.all(
        [...new Set(parameters.map(({ dtype }) => dtype))].map(
          async (dtype) =>
            [
              dtype,
              await pipeline(this.#state, { entry: 'moments', slots: { load: `load/${dtype}` }, layout: 'moments' }),
            ] as const,
        ),
      ),
    )
    const temporary: GPUBuffer[] = []
    const make = (label: string, size: number, usage: number): GPUBuffer => {
      const buffer = device.createBuffer({ label, size, usage })
      temporary.push(buffer)
      return buffer
    }
    try {
      const submitted = withErrorScope(device, 'validation', () => {
        const uniform = make('webgpu-init moments jobs', blocks.byteLength, USAGE_UNIFORM | USAGE_COPY_DST)
        const records = make('webgpu-init moments records', recordCount * RECORD_BYTES, USAGE_STORAGE | USAGE_COPY_SRC)
        device.queue.writeBuffer(uniform, 0, blocks.buffer)
        const encoder = device.createCommandEncoder({ label: 'webgpu-init moments' })
        const pass = encoder.beginComputePass({ label: 'webgpu-init moments' })
        work.forEach(({ parameter, buffer, window, groups }, index) => {
          pass.setPipeline(pipelines.get(parameter.dtype)!)
          pass.setBindGroup(
            0,
            device.createBindGroup({
              label: 'webgpu-init moments',
              layout: bindGroupLayout(this.#state, 'moments'),
              entries: [
                { binding: 0, resource: { buffer, offset: window.binding.offset, size: window.binding.byteLength } },
                { binding: 1, resource: { buffer: uniform, size: 32 } },
                { binding: 2, resource: { buffer: records } },
              ],
            }),
            [index * stride],
          )
          pass.dispatchWorkgroups(groups)
        })
        pass.end()
        device.queue.submit([encoder.finish({ label: 'webgpu-init moments' })])
        return records
      })
      const problem = await untilLost(this.#state, submitted.error)
      if (problem !== null) {
        throw new WeightInitError('DEVICE_ERROR', `The statistics cannot be computed: ${problem.message}`, {
          cause: problem,
        })
      }
      await copyOut(this.#state, submitted.result, 0, recordCount * RECORD_BYTES, (bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        for (const { parameter, groups, firstRecord } of work) {
          const center = Math.fround(parameter.expected.mean)
          let total = measured.get(parameter.name) ?? noMoments
          for (let group = 0; group < groups; group++) {
            total = mergeMoments(total, readRecord(view, (firstRecord + group) * RECORD_BYTES, center))
          }
          measured.set(parameter.name, total)
        }
      })
    } finally {
      for (const buffer of temporary) buffer.destroy()
    }
  }

  async checkOrthogonal(parameter: PlannedParameter, signal?: AbortSignal): Promise<OrthogonalCheck> {
    const law = parameter.distribution as LawOf<'orthogonal'>
    const { dtype } = parameter
    const region = this.region(parameter.name)
    if (parameter.whole !== undefined || region.segments !== undefined || law.field > 1) {
      const read = (start: number, length: number): Promise<Uint8Array> => this.readRange(parameter, start, length)
      return checkOrthogonalPart(this.#state, parameter, read, (jobs) => this.#runJobs(this.#state, jobs), signal)
    }
    const shape = { batch: law.batch, rows: law.rows, cols: law.columns }
    const matrices = { ...region, dtype: dtype as FloatDType }
    const defect = await orthogonalityDefect(this.#state, matrices, shape, law.gain, signal)
    return { defect, dtype, mismatchCount: 0 }
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy()
  }
}

/** A `Record` of shaders/moments.wgsl. */
function readRecord(view: DataView, at: number, center: number): Moments {
  return momentsFromSums(
    {
      count: view.getUint32(at, true),
      nonFiniteCount: view.getUint32(at + 4, true),
      zeroCount: view.getUint32(at + 8, true),
      sum: view.getFloat32(at + 12, true),
      sumSquares: view.getFloat32(at + 16, true),
      min: view.getFloat32(at + 20, true),
      max: view.getFloat32(at + 24, true),
    },
    center,
  )
}
