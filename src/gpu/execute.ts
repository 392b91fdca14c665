import { byteWidth } from '../dtype.js'
import { show, WeightInitError } from '../errors.js'
import { type FillJob, fillJob, type Overlay } from '../jobs.js'
import type { ResolvedOptions } from '../options.js'
import type { InitializationPlan } from '../plan.js'
import { allocate, checkRegions, type GpuRegion } from './allocate.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from './constants.js'
import { type DeviceState, deviceState, requireAlive, untilLost } from './device-state.js'
import { generatorPipelineKey, isUploaded } from './generators.js'
import { jobLayout, type PackedJob, packOverlay, packSource, writeJob } from './job-layout.js'
import { bindGroupLayout, type PipelineKey, pipeline, pipelineName, WORKGROUP_INVOCATIONS } from './pipelines.js'
import { withErrorScope } from './scopes.js'
import { GpuStore } from './store.js'
import { runUploadedJobs } from './uploaded.js'
import { alignUp, type Binding, bindingWindows } from './windows.js'

/** More workgroups than this bring nothing: the shader strides. Well under the limit of 65535. */
const MAX_WORKGROUPS = 2048
/** Elements per submit; with a progress or abort listener, fewer, so that they are heard in time. */
const ELEMENTS_PER_SUBMIT = 2 ** 28
const ELEMENTS_PER_WATCHED_SUBMIT = 2 ** 24

/** A job and the place for its elements. */
export interface FillTarget extends GpuRegion {
  readonly job: FillJob
}

interface Dispatch {
  readonly name: string
  readonly pipeline: PipelineKey
  readonly packed: PackedJob
  readonly buffer: GPUBuffer
  readonly binding: Binding
  /** Elements and bytes that this dispatch finishes; an overlay finishes none. */
  readonly elements: number
  readonly bytes: number
}

/** Runs a plan on a device. All or nothing: on failure everything made here is destroyed. */
export async function executeOnGpu(
  plan: InitializationPlan,
  options: ResolvedOptions,
  device: GPUDevice,
): Promise<GpuStore> {
  const state = deviceState(device)
  requireAlive(state)
  options.signal?.throwIfAborted()
  const active = plan.parameters.filter(({ action }) => action === 'initialize')
  const given = checkRegions(options.into, plan.parameters)
  const jobs = active.map(fillJob)
  // Compiling and judging the caller's buffers come before anything is allocated.
  await Promise.all([compileFor(state, jobs), preflight(state, given)])
  options.signal?.throwIfAborted()
  const { regions, owned } = await allocate(state, active, given, options)
  try {
    await runJobs(
      state,
      jobs.map((job) => ({ job, ...regions.get(job.name)! })),
      options,
    )
  } catch (error) {
    for (const buffer of owned) buffer.destroy()
    throw error
  }
  return new GpuStore(state, regions, owned)
}

const constantKey: PipelineKey = { entry: 'constant', layout: 'fill' }
const diagonalKey: PipelineKey = { entry: 'diagonal', layout: 'fill' }

function sourceKey({ source, dtype }: FillJob): PipelineKey {
  if (source.kind === 'constant') return constantKey
  if (source.kind === 'generator') return generatorPipelineKey(source, dtype)
  const store = dtype === 'float32' ? { store: 'store/float32' } : { store: 'store/half_pair', round: `store/${dtype}` }
  if (typeof source.sampler === 'string') {
    return { entry: 'fill', slots: { sampler: `distributions/${source.sampler}`, ...store }, layout: 'fill' }
  }
  return {
    entry: 'fill',
    slots: { sampler: `custom/${source.sampler.name} glue`, ...store },
    layout: 'fill',
    custom: source.sampler,
  }
}

const isUploadedJob = ({ source }: FillJob): boolean => source.kind === 'generator' && isUploaded(source)

const overlayKey = ({ kind }: Overlay): PipelineKey => (kind === 'range' ? constantKey : diagonalKey)

/** Every pipeline the jobs need, compiled in parallel. */
async function compileFor(state: DeviceState, jobs: readonly FillJob[]): Promise<void> {
  const keys = jobs.flatMap((job) => [sourceKey(job), ...job.overlays.map(overlayKey)])
  await Promise.all(keys.map((key) => pipeline(state, key)))
}

/**
 * Lets the device itself judge the caller's buffers, before anything is written: a copy of one word out of a buffer fails
 * when it is destroyed, mapped, or another device's.
 */
async function preflight(state: DeviceState, given: ReadonlyMap<string, GpuRegion>): Promise<void> {
  if (given.size === 0) return
  const { device } = state
  const scratch = device.createBuffer({ label: 'webgpu-init preflight', size: 4, usage: USAGE_COPY_DST })
  try {
    for (const [name, { buffer, byteOffset }] of given) {
      const refuse = (cause: Error | GPUError): never => {
        throw new WeightInitError(
          'INVALID_BUFFER',
          `into[${show(name)}]: this device cannot use the buffer: ${cause.message} ` +
            'It must belong to this device and be neither destroyed nor mapped.',
          { cause },
        )
      }
      let error: Promise<GPUError | null>
      try {
        error = withErrorScope(device, 'validation', () => {
          const encoder = device.createCommandEncoder({ label: 'webgpu-init preflight' })
          encoder.copyBufferToBuffer(buffer, byteOffset, scratch, 0, 4)
          device.queue.submit([encoder.finish()])
        }).error
      } catch (thrown) {
        // Some implementations throw for an object that is no GPUBuffer of theirs.
        return refuse(thrown as Error)
      }
      const problem = await untilLost(state, error)
      if (problem !== null) refuse(problem)
    }
  } finally {
    scratch.destroy()
  }
}

function dispatches(state: DeviceState, targets: readonly FillTarget[], budget: number): Dispatch[] {
  const { limits } = state.device
  return targets.flatMap(({ job, buffer, byteOffset }) => {
    const width = byteWidth(job.dtype)
    const windows = bindingWindows(
      { bufferByteLength: buffer.size, byteOffset, elementCount: job.elementCount, byteWidth: width },
      limits,
    )
    return windows.flatMap(({ binding, start, count, firstWord }) => {
      const parts: Dispatch[] = []
      // A window longer than a submit is cut; the budget is a multiple of eight elements, whole words in every dtype.
      for (let done = 0; done < count; done += budget) {
        const elements = Math.min(budget, count - done)
        const window = { job, start: start + done, count: elements, firstWord: firstWord + (done * width) / 4 }
        const place = { name: job.name, buffer, binding }
        // Words that the host makes go another way, before these; only their overlays are dispatched here.
        if (!isUploadedJob(job)) {
          const bytes = elements * width
          parts.push({ ...place, pipeline: sourceKey(job), packed: packSource(window), elements, bytes })
        }
        for (const overlay of job.overlays) {
          const packed = packOverlay(overlay, window)
          if (packed !== undefined)
            parts.push({ ...place, pipeline: overlayKey(overlay), packed, elements: 0, bytes: 0 })
        }
      }
      return parts
    })
  })
}

/** Fills every target, in as few submits as the budget allows. Resolves when the device has done the work. */
export async function runJobs(
  state: DeviceState,
  targets: readonly FillTarget[],
  { signal, onProgress }: Pick<ResolvedOptions, 'signal' | 'onProgress'> = {},
): Promise<void> {
  const { device } = state
  await compileFor(
    state,
    targets.map(({ job }) => job),
  )
  const watched = signal !== undefined || onProgress !== undefined
  const budget = watched ? ELEMENTS_PER_WATCHED_SUBMIT : ELEMENTS_PER_SUBMIT
  const uploaded = targets.filter(({ job }) => isUploadedJob(job))
  const work = dispatches(state, targets, budget)
  const bytesTotal = targets.reduce((sum, { job }) => sum + job.elementCount * byteWidth(job.dtype), 0)
  // Compiled above: one lookup per kind, no waiting between dispatches.
  const pipelines = new Map<string, GPUComputePipeline>()
  for (const { pipeline: key } of work) {
    const name = pipelineName(key)
    if (!pipelines.has(name)) pipelines.set(name, await pipeline(state, key))
  }
  const stride = alignUp(jobLayout.byteLength, device.limits.minUniformBufferOffsetAlignment)
  const blocks = new ArrayBuffer(work.length * stride)
  const view = new DataView(blocks)
  for (const [index, { packed }] of work.entries()) writeJob(view, index * stride, packed)
  const uniform = device.createBuffer({
    label: 'webgpu-init jobs',
    size: Math.max(stride, blocks.byteLength),
    usage: USAGE_UNIFORM | USAGE_COPY_DST,
  })
  try {
    device.queue.writeBuffer(uniform, 0, blocks)
    const groups = bindGroupCache(state, uniform)
    let bytesDone = await runUploadedJobs(state, uploaded, { signal, onProgress }, bytesTotal)
    for (let next = 0; next < work.length; ) {
      signal?.throwIfAborted()
      let elements = 0
      const { result: parameter, error } = withErrorScope(device, 'validation', () => {
        const encoder = device.createCommandEncoder({ label: 'webgpu-init fill' })
        const pass = encoder.beginComputePass({ label: 'webgpu-init fill' })
        for (; next < work.length && (elements === 0 || elements + work[next]!.elements <= budget); next++) {
          const dispatch = work[next]!
          pass.setPipeline(pipelines.get(pipelineName(dispatch.pipeline))!)
          pass.setBindGroup(0, groups(dispatch.buffer, dispatch.binding), [next * stride])
          pass.dispatchWorkgroups(Math.min(MAX_WORKGROUPS, Math.ceil(dispatch.packed.turns / WORKGROUP_INVOCATIONS)))
          elements += dispatch.elements
          bytesDone += dispatch.bytes
        }
        pass.end()
        device.queue.submit([encoder.finish()])
        return work[next - 1]!.name
      })
      const [problem] = await untilLost(state, Promise.all([error, device.queue.onSubmittedWorkDone()]))
      if (problem !== null) {
        throw new WeightInitError(
          'DEVICE_ERROR',
          `The device refused the work for ${show(parameter)}: ${problem.message}`,
          { cause: problem },
        )
      }
      onProgress?.({ parameter, bytesDone, bytesTotal })
    }
    requireAlive(state)
  } finally {
    uniform.destroy()
  }
}

/** One bind group per (buffer, binding), however many parameters lie there. */
function bindGroupCache(state: DeviceState, uniform: GPUBuffer): (buffer: GPUBuffer, binding: Binding) => GPUBindGroup {
  const byBuffer = new Map<GPUBuffer, Map<number, GPUBindGroup>>()
  return (buffer, { offset, byteLength }) => {
    const groups = byBuffer.get(buffer) ?? new Map<number, GPUBindGroup>()
    byBuffer.set(buffer, groups)
    let group = groups.get(offset)
    if (group === undefined) {
      group = state.device.createBindGroup({
        label: 'webgpu-init fill',
        layout: bindGroupLayout(state, 'fill'),
        entries: [
          { binding: 0, resource: { buffer, offset, size: byteLength } },
          { binding: 1, resource: { buffer: uniform, size: jobLayout.byteLength } },
        ],
      })
      groups.set(offset, group)
    }
    return group
  }
}
