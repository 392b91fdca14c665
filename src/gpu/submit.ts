import { byteWidth } from '../dtype.js'
import { OutOfMemoryError, show, WeightInitError } from '../errors.js'
import type { FillJob, Overlay } from '../jobs.js'
import type { InitializationProgress } from '../options.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from './constants.js'
import { type DeviceState, requireAlive, untilLost } from './device-state.js'
import { jobLayout, type PackedJob, packOverlay, packSource, writeJob } from './job-layout.js'
import { Pacer } from './pacing.js'
import { packPart, partLayout } from './part-layout.js'
import { bindGroupLayout, workgroupsFor } from './pipelines.js'
import { withErrorScope } from './scopes.js'
import { alignUp, type Binding, type BindingWindow, bindingWindows } from './windows.js'

/** Dispatches of one submit: their uniform blocks take at most 1 MiB of device memory (2 MiB with parts). */
const MAX_DISPATCHES = 4096
/** A submit may end inside a window, which then takes two pieces. */
const SPARE_BLOCKS = 4

/** A job, the pipelines that run it, and the place for its elements. */
export interface FillWork {
  readonly job: FillJob
  readonly pipeline: GPUComputePipeline
  /** Names the pipeline in what is learnt about the device's speed. */
  readonly pipelineId: string
  /** Whether the source's elements are there already: then only the overlays are written. */
  readonly filled?: boolean
  /** The pipelines of the job's overlays. */
  readonly overlayPipeline: (overlay: Overlay) => GPUComputePipeline
  readonly buffer: GPUBuffer
  readonly byteOffset: number
}

export interface SubmitOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: InitializationProgress) => void
}

/**
 * Fills every target, in as few submits as a watchdog allows, one after the other. The signal is looked at before each
 * submit, so that an abort costs at most the one that is running. Resolves when the device has done the work.
 */
export async function submitFills(
  state: DeviceState,
  work: readonly FillWork[],
  { signal, onProgress }: SubmitOptions = {},
): Promise<void> {
  if (!work.some(hasDispatches)) return
  const { device } = state
  const bytesTotal = work.reduce((sum, one) => sum + bytesOf(one), 0)
  const pacer = new Pacer(state.speed, signal !== undefined || onProgress !== undefined)
  const queue = new WindowQueue(work.filter(hasDispatches), device.limits)
  const uniforms = new UniformBlocks(
    state,
    Math.min(queue.dispatchCount + SPARE_BLOCKS, MAX_DISPATCHES),
    work.some(isPart),
  )
  try {
    const groups = bindGroupCache(state, uniforms)
    let bytesDone = work.reduce((sum, one) => sum + (one.filled ? bytesOf(one) : 0), 0)
    let parameter = ''
    while (!queue.empty) {
      signal?.throwIfAborted()
      const pieces = queue.next(pacer, uniforms.capacity)
      if (pieces.length === 0) break
      let began = 0
      const submitted = withErrorScope(device, 'validation', () => {
        uniforms.write(pieces)
        const encoder = device.createCommandEncoder({ label: 'webgpu-init fill' })
        const pass = encoder.beginComputePass({ label: 'webgpu-init fill' })
        pieces.forEach((piece, index) => {
          const { job, buffer } = piece.work
          pass.setPipeline(piece.pipeline)
          pass.setBindGroup(0, groups(buffer, piece.binding, piece.part), uniforms.offsets(index, piece))
          pass.dispatchWorkgroups(workgroupsFor(state, piece.packed.turns))
          bytesDone += piece.bytes
          parameter = job.name
        })
        pass.end()
        const commands = encoder.finish({ label: 'webgpu-init fill' })
        began = performance.now()
        device.queue.submit([commands])
      })
      const [noMemory, problem] = await untilLost(
        state,
        Promise.all([uniforms.error, submitted.error, device.queue.onSubmittedWorkDone()]),
      )
      pacer.done(performance.now() - began)
      if (noMemory !== null) {
        throw new OutOfMemoryError(
          `The device could not allocate ${uniforms.byteLength} bytes to fill ${show(parameter)}: ${noMemory.message}`,
          {
            cause: noMemory,
          },
        )
      }
      if (problem !== null) {
        throw new WeightInitError(
          'DEVICE_ERROR',
          `The device refused the work for ${show(parameter)}: ${problem.message}`,
          { cause: problem },
        )
      }
      onProgress?.({ parameter, bytesDone, bytesTotal })
    }
    // A call that was aborted does not succeed, even when the work was done by then.
    signal?.throwIfAborted()
    requireAlive(state)
  } finally {
    uniforms.destroy()
  }
}

const isPart = ({ job }: FillWork): boolean => job.part !== undefined
const bytesOf = ({ job }: FillWork): number => job.elementCount * byteWidth(job.dtype)
const hasDispatches = ({ job, filled }: FillWork): boolean => !filled || job.overlays.length > 0

/** One dispatch: a piece of a window, or of an overlay on it. */
interface Piece {
  readonly work: FillWork
  readonly pipeline: GPUComputePipeline
  readonly binding: Binding
  readonly packed: PackedJob
  /** Whether it reads a part's uniform block: the source of a job with a part. */
  readonly part: boolean
  /** First element of the window, within the job. */
  readonly start: number
  /** Bytes that are finished with it; an overlay finishes none. */
  readonly bytes: number
}

/** The windows of all targets in order, handed out in pieces as the pacer allows. */
class WindowQueue {
  /** At most so many dispatches, but for windows that a submit cuts. */
  readonly dispatchCount: number
  readonly #windows: readonly { readonly work: FillWork; readonly window: BindingWindow }[]
  #next = 0
  #done = 0
  /** Overlays of the piece handed out last: they come next. */
  #overlays: Piece[] = []

  constructor(work: readonly FillWork[], limits: GPUSupportedLimits) {
    this.#windows = work.flatMap((one) =>
      bindingWindows(
        {
          bufferByteLength: one.buffer.size,
          byteOffset: one.byteOffset,
          elementCount: one.job.elementCount,
          byteWidth: byteWidth(one.job.dtype),
        },
        limits,
      ).map((window) => ({ work: one, window })),
    )
    this.dispatchCount = this.#windows.reduce((sum, { work }) => sum + 1 + work.job.overlays.length, 0)
  }

  get empty(): boolean {
    return this.#next >= this.#windows.length && this.#overlays.length === 0
  }

  next(pacer: Pacer, capacity: number): Piece[] {
    const pieces: Piece[] = []
    while (!this.empty && pieces.length < capacity) {
      if (this.#overlays.length > 0) {
        const some = this.#overlays.splice(0, capacity - pieces.length)
        pacer.add(some.length)
        pieces.push(...some)
        continue
      }
      const { work, window } = this.#windows[this.#next]!
      const left = window.count - this.#done
      const count = work.filled ? left : pacer.take(work.pipelineId, left)
      if (count === 0) break
      const { job, pipeline } = work
      const width = byteWidth(job.dtype)
      const start = window.start + this.#done
      const span = { job, start, count, firstWord: window.firstWord + (this.#done * width) / 4 }
      const place = { work, binding: window.binding, start }
      if (!work.filled) {
        pieces.push({
          ...place,
          pipeline,
          packed: packSource(span),
          part: job.part !== undefined,
          bytes: count * width,
        })
      }
      for (const overlay of job.overlays) {
        const packed = packOverlay(overlay, span)
        if (packed === undefined) continue
        this.#overlays.push({ ...place, pipeline: work.overlayPipeline(overlay), packed, part: false, bytes: 0 })
      }
      this.#done += count
      if (this.#done === window.count) {
        this.#next++
        this.#done = 0
      }
    }
    return pieces
  }
}

/** The uniform blocks of one submit's dispatches. Writes are ordered with submits, so every submit reuses them. */
class UniformBlocks {
  readonly jobs: GPUBuffer
  readonly parts: GPUBuffer | undefined
  readonly capacity: number
  readonly byteLength: number
  /** What the device says about the memory for them. */
  readonly error: Promise<GPUError | null>
  readonly #device: GPUDevice
  readonly #jobStride: number
  readonly #partStride: number

  constructor({ device }: DeviceState, count: number, withParts: boolean) {
    const alignment = device.limits.minUniformBufferOffsetAlignment
    this.#device = device
    this.capacity = count
    this.#jobStride = alignUp(jobLayout.byteLength, alignment)
    this.#partStride = alignUp(partLayout.byteLength, alignment)
    const usage = USAGE_UNIFORM | USAGE_COPY_DST
    const made = withErrorScope(device, 'out-of-memory', () => [
      device.createBuffer({ label: 'webgpu-init jobs', size: count * this.#jobStride, usage }),
      withParts
        ? device.createBuffer({ label: 'webgpu-init parts', size: count * this.#partStride, usage })
        : undefined,
    ])
    this.jobs = made.result[0]!
    this.parts = made.result[1]
    this.error = made.error
    this.byteLength = this.jobs.size + (this.parts?.size ?? 0)
  }

  write(pieces: readonly Piece[]): void {
    const blocks = new DataView(new ArrayBuffer(pieces.length * this.#jobStride))
    const parts = new DataView(new ArrayBuffer(this.parts === undefined ? 0 : pieces.length * this.#partStride))
    pieces.forEach(({ work: { job }, packed, part, start }, index) => {
      writeJob(blocks, index * this.#jobStride, packed)
      if (part) packPart(parts, index * this.#partStride, job.part!, job.firstElement + start)
    })
    this.#device.queue.writeBuffer(this.jobs, 0, blocks.buffer)
    if (this.parts !== undefined) this.#device.queue.writeBuffer(this.parts, 0, parts.buffer)
  }

  offsets(index: number, { part }: Piece): number[] {
    return part ? [index * this.#jobStride, index * this.#partStride] : [index * this.#jobStride]
  }

  destroy(): void {
    this.jobs.destroy()
    this.parts?.destroy()
  }
}

/** One bind group per (buffer, binding), however many parameters lie there. */
function bindGroupCache(
  state: DeviceState,
  { jobs, parts }: UniformBlocks,
): (buffer: GPUBuffer, binding: Binding, isPart: boolean) => GPUBindGroup {
  const byBuffer = new Map<GPUBuffer, Map<string, GPUBindGroup>>()
  return (buffer, { offset, byteLength }, withPart) => {
    const known = byBuffer.get(buffer) ?? new Map<string, GPUBindGroup>()
    byBuffer.set(buffer, known)
    const key = `${offset} ${withPart}`
    let group = known.get(key)
    if (group === undefined) {
      group = state.device.createBindGroup({
        label: 'webgpu-init fill',
        layout: bindGroupLayout(state, withPart ? 'fill-part' : 'fill'),
        entries: [
          { binding: 0, resource: { buffer, offset, size: byteLength } },
          { binding: 1, resource: { buffer: jobs, size: jobLayout.byteLength } },
          ...(withPart ? [{ binding: 2, resource: { buffer: parts!, size: partLayout.byteLength } }] : []),
        ],
      })
      known.set(key, group)
    }
    return group
  }
}
