import { show, WeightInitError } from '../errors.js'
import { type FillJob, fillJob } from '../jobs.js'
import type { ResolvedOptions } from '../options.js'
import type { InitializationPlan } from '../plan.js'
import { allocate, checkRegions, checkSizes, type GpuRegion } from './allocate.js'
import { USAGE_COPY_DST } from './constants.js'
import { type DeviceState, deviceState, requireAlive, untilLost } from './device-state.js'
import { type PipelineKey, pipeline } from './pipelines.js'
import { withErrorScope } from './scopes.js'
import { type GpuSegment, segmentsOf } from './segments.js'
import { selfTest } from './self-test.js'
import { GpuStore } from './store.js'
import { type FillWork, type SubmitOptions, submitFills } from './submit.js'

/** A job and the place for its elements. */
export interface FillTarget {
  readonly job: FillJob
  readonly buffer: GPUBuffer
  readonly byteOffset: number
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
  checkSizes(state, plan.parameters, given, options)
  const jobs = active.map(fillJob)
  // Compiling and judging the caller's buffers come before anything is allocated.
  const [pipelines] = await Promise.all([compileFor(state, jobs), preflight(state, given)])
  await selfTest(state, jobs, (job) => ({ pipelineId: pipelineId(job), pipeline: pipelines.get(pipelineId(job))! }))
  options.signal?.throwIfAborted()
  const { regions, owned } = await allocate(state, active, given, options)
  try {
    await runJobs(
      state,
      active.flatMap((parameter, index) =>
        targetsOf(jobs[index]!, segmentsOf(regions.get(parameter.name)!, parameter)),
      ),
      options,
    )
  } catch (error) {
    for (const buffer of owned) buffer.destroy()
    throw error
  }
  return new GpuStore(state, regions, owned)
}

function pipelineKey({ source, dtype, part }: FillJob): PipelineKey {
  if (source.kind === 'constant') return { entry: 'constant', layout: 'fill' }
  const sampler = `distributions/${source.sampler}`
  const store = dtype === 'float32' ? { store: 'store/float32' } : { store: 'store/half_pair', round: `store/${dtype}` }
  const slots: Record<string, string> = { sampler, ...store }
  return part === undefined
    ? { entry: 'fill', slots, layout: 'fill' }
    : { entry: 'fill_part', slots, layout: 'fill-part' }
}

function pipelineId({ source, dtype, part }: FillJob): string {
  return source.kind === 'constant' ? 'constant' : `${source.sampler} ${dtype}${part === undefined ? '' : ' part'}`
}

/** A job per segment of its parameter. */
function targetsOf(job: FillJob, segments: readonly GpuSegment[]): FillTarget[] {
  return segments.map(({ buffer, byteOffset, firstElement, elementCount }) => ({
    job: { ...job, firstElement: job.firstElement + firstElement, elementCount },
    buffer,
    byteOffset,
  }))
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
  const refuse = (name: string, cause: Error | GPUError): never => {
    throw new WeightInitError(
      'INVALID_BUFFER',
      `into[${show(name)}]: this device cannot use the buffer: ${cause.message} ` +
        'It must belong to this device and be neither destroyed nor mapped.',
      { cause },
    )
  }
  const scratch = device.createBuffer({ label: 'webgpu-init preflight', size: 4, usage: USAGE_COPY_DST })
  try {
    // One look per buffer, all on their way before the first answer: a model may have thousands.
    const looks = new Map<GPUBuffer, { name: string; error: Promise<GPUError | null> }>()
    for (const [name, { buffer, byteOffset }] of given) {
      if (looks.has(buffer)) continue
      try {
        const { error } = withErrorScope(device, 'validation', () => {
          const encoder = device.createCommandEncoder({ label: 'webgpu-init preflight' })
          encoder.copyBufferToBuffer(buffer, byteOffset, scratch, 0, 4)
          device.queue.submit([encoder.finish({ label: 'webgpu-init preflight' })])
        })
        looks.set(buffer, { name, error })
      } catch (thrown) {
        // Some implementations throw for an object that is no GPUBuffer of theirs.
        refuse(name, thrown as Error)
      }
    }
    for (const { name, error } of looks.values()) {
      const problem = await untilLost(state, error)
      if (problem !== null) refuse(name, problem)
    }
  } finally {
    scratch.destroy()
  }
}

/** Fills every target. Resolves when the device has done the work. */
export async function runJobs(
  state: DeviceState,
  targets: readonly FillTarget[],
  options: SubmitOptions = {},
): Promise<void> {
  const pipelines = await compileFor(
    state,
    targets.map(({ job }) => job),
  )
  const work = targets.map(({ job, buffer, byteOffset }): FillWork => {
    const id = pipelineId(job)
    return { job, buffer, byteOffset, pipelineId: id, pipeline: pipelines.get(id)! }
  })
  await submitFills(state, work, options)
}
