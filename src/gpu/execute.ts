import { byteWidth } from '../dtype.js'
import { show, WeightInitError } from '../errors.js'
import { type FillJob, fillJob } from '../jobs.js'
import type { ResolvedOptions } from '../options.js'
import type { InitializationPlan } from '../plan.js'
import { allocate, checkRegions, type GpuRegion } from './allocate.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from './constants.js'
import { type DeviceState, deviceState, requireAlive, untilLost } from './device-state.js'
import { generatorPipelineId, generatorPipelineKey, isUploaded } from './generators.js'
import { type FillWindow, jobLayout, packJob } from './job-layout.js'
import { bindGroupLayout, type PipelineKey, pipeline, WORKGROUP_INVOCATIONS } from './pipelines.js'
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

interface Dispatch extends FillWindow {
  readonly buffer: GPUBuffer
  readonly binding: Binding
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

function pipelineKey({ source, dtype }: FillJob): PipelineKey {
  if (source.kind === 'constant') return { entry: 'constant', layout: 'fill' }
  if (source.kind === 'generator') return generatorPipelineKey(source, dtype)
  const sampler = `distributions/${source.sampler}`
  return dtype === 'float32'
    ? { entry: 'fill', slots: { sampler, store: 'store/float32' }, layout: 'fill' }
    : { entry: 'fill', slots: { sampler, store: 'store/half_pair', round: `store/${dtype}` }, layout: 'fill' }
}

function pipelineId({ source, dtype }: FillJob): string {
  if (source.kind === 'generator') return generatorPipelineId(source, dtype)
  return source.kind === 'constant' ? 'constant' : `${source.sampler} ${dtype}`
}

/** Every pipeline the jobs need, compiled in parallel. */
async function compileFor(state: DeviceState, jobs: readonly FillJob[]): Promise<Map<string, GPUComputePipeline>> {
  const keys = new Map(jobs.map((job) => [pipelineId(job), pipelineKey(job)]))
  const compiled = await Promise.all([...keys].map(async ([id, key]) => [id, await pipeline(state, key)] as const))
  return new Map(compiled)
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
    return bindingWindows(
      { bufferByteLength: buffer.size, byteOffset, elementCount: job.elementCount, byteWidth: width },
      limits,
    ).flatMap(({ binding, start, count, firstWord }) => {
      // A window longer than a submit is cut; the budget is a multiple of eight elements, whole words in every dtype.
      const parts: Dispatch[] = []
      for (let done = 0; done < count; done += budget) {
        const part = {
          start: start + done,
          count: Math.min(budget, count - done),
          firstWord: firstWord + (done * width) / 4,
        }
        parts.push({ job, buffer, binding, ...part })
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
  const pipelines = await compileFor(
    state,
    targets.map(({ job }) => job),
  )
  const watched = signal !== undefined || onProgress !== undefined
  const budget = watched ? ELEMENTS_PER_WATCHED_SUBMIT : ELEMENTS_PER_SUBMIT
  const uploaded = targets.filter(({ job }) => job.source.kind === 'generator' && isUploaded(job.source))
  const work = dispatches(
    state,
    targets.filter((target) => !uploaded.includes(target)),
    budget,
  )
  const bytesTotal = targets.reduce((sum, { job }) => sum + job.elementCount * byteWidth(job.dtype), 0)
  const stride = alignUp(jobLayout.byteLength, device.limits.minUniformBufferOffsetAlignment)
  const blocks = new ArrayBuffer(work.length * stride)
  const view = new DataView(blocks)
  for (const [index, dispatch] of work.entries()) packJob(view, index * stride, dispatch)
  const uniform = device.createBuffer({
    label: 'webgpu-init jobs',
    size: Math.max(stride, blocks.byteLength),
    usage: USAGE_UNIFORM | USAGE_COPY_DST,
  })
  try {
    device.queue.writeBuffer(uniform, 0, blocks)
    const groups = bindGroupCache(state, uniform)
    let bytesDone = 0
    for (let next = 0; next < work.length; ) {
      signal?.throwIfAborted()
      let elements = 0
      const { result: parameter, error } = withErrorScope(device, 'validation', () => {
        const encoder = device.createCommandEncoder({ label: 'webgpu-init fill' })
        const pass = encoder.beginComputePass({ label: 'webgpu-init fill' })
        for (; next < work.length && (elements === 0 || elements + work[next]!.count <= budget); next++) {
          const { job, buffer, binding, count } = work[next]!
          pass.setPipeline(pipelines.get(pipelineId(job))!)
          pass.setBindGroup(0, groups(buffer, binding), [next * stride])
          pass.dispatchWorkgroups(Math.min(MAX_WORKGROUPS, Math.ceil(count / (4 * WORKGROUP_INVOCATIONS))))
          elements += count
          bytesDone += count * byteWidth(job.dtype)
        }
        pass.end()
        device.queue.submit([encoder.finish()])
        return work[next - 1]!.job.name
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
    await runUploadedJobs(state, uploaded, { signal, onProgress }, { done: bytesDone, total: bytesTotal })
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
