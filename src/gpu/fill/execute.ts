import { byteWidth } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import { fillJob, orthogonalNormals } from '../../fill/make-job.js'
import type { FillJob, FillSource, Patch } from '../../ir/job.js'
import type { InitializationPlan } from '../../ir/plan.js'
import type { ResolvedOptions } from '../../plan/options.js'
import { USAGE_COPY_DST } from '../device/constants.js'
import { type DeviceState, deviceState, requireAlive, untilLost } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import { type GpuRegion, type GpuSegment, segmentsOf } from '../device/segments.js'
import { GpuStore } from '../gpu-store.js'
import { checkOrthogonal, fillOrthogonal } from '../orthogonal/orthogonal-fill.js'
import { hasWholeQuads, type PipelineKey, storeSlots } from '../shaders/pipeline-key.js'
import { pipeline, pipelineName } from '../shaders/pipelines.js'
import { allocate, checkRegions, checkSizes } from '../weights/allocate.js'
import { generatorPipelineKey, isHostGenerated, tablePipelineKey } from './generators.js'
import { runHostGeneratedJobs } from './host-generated.js'
import { selfTest } from './self-test.js'
import { sharingJobs } from './sharing.js'
import { type SubmitOptions, submitFills } from './submit.js'
import type { FillTarget, PlacedJob } from './target.js'
import type { FillWork } from './window-queue.js'

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
  for (const job of jobs) if (isOrthogonalJob(job)) checkOrthogonal(state, job)
  const sharing = sharingJobs(jobs, ({ name }) => {
    const region = given.get(name)
    return region === undefined ? options.buffers === 'packed' : region.segments === undefined && region.buffer
  })
  // Compiling and judging the caller's buffers come before anything is allocated.
  const placed = active.flatMap((parameter, index): PlacedJob[] => {
    const region = given.get(parameter.name)
    const job = jobs[index]!
    // Memory that is made here begins at a multiple of 256 bytes, and so do its segments.
    return region === undefined
      ? [{ job, byteOffset: 0, sharing: sharing.has(job) }]
      : targetsOf(job, segmentsOf(region, parameter), sharing.has(job))
  })
  const drawn = [...placed, ...jobs.flatMap(normalsOf).map((job) => ({ job, byteOffset: 0 }))]
  const [pipelinesOf] = await Promise.all([compileFor(state, drawn), preflight(state, given)])
  await selfTest(
    state,
    drawn.filter(({ job }) => isSelfTested(job)),
    pipelinesOf,
  )
  options.signal?.throwIfAborted()
  const { regions, owned } = await allocate(state, active, given, options)
  try {
    await runJobs(
      state,
      active.flatMap((parameter, index) =>
        targetsOf(jobs[index]!, segmentsOf(regions.get(parameter.name)!, parameter), sharing.has(jobs[index]!)),
      ),
      options,
    )
  } catch (error) {
    for (const buffer of owned) buffer.destroy()
    throw error
  }
  return new GpuStore(state, regions, owned, runJobs)
}

const constantKey: PipelineKey = { entry: 'fill/constant', layout: 'fill' }
const diagonalKey: PipelineKey = { entry: 'fill/diagonal', layout: 'fill' }

function sourceKey(placed: PlacedJob): PipelineKey {
  const key = ownKey(placed)
  return placed.sharing ? { ...key, slots: { ...key.slots, job: 'core/jobs' }, layout: 'fill-sharing' } : key
}

/** The pipeline of a job that has a dispatch to itself. */
function ownKey({ job, byteOffset }: PlacedJob): PipelineKey {
  const { source, dtype, part } = job
  const wholeQuads = hasWholeQuads(job, byteOffset)
  if (source.kind === 'constant') return constantKey
  if (source.kind === 'generator') return generatorPipelineKey(source, dtype, wholeQuads)
  if (source.kind === 'orthogonal') throw new TypeError('an orthogonal distribution has no pipeline of its own')
  if (source.kind === 'table') return tablePipelineKey(dtype)
  const store = storeSlots(dtype, wholeQuads)
  const fill = part === undefined ? ({ entry: 'fill/fill', layout: 'fill' } as const) : partEntry
  const { sampler } = source
  return typeof sampler === 'string'
    ? { ...fill, slots: { sampler: `distributions/${sampler}`, ...store } }
    : { ...fill, slots: { sampler: `custom/${sampler.name} adapter`, ...store }, custom: sampler }
}

const partEntry = { entry: 'fill/fill_part', layout: 'fill-part' } as const

/** Jobs that do not come from a dispatch of their own: words or values that the host makes, and matrices. */
const isHostGeneratedJob = ({ source }: FillJob): boolean =>
  source.kind === 'table' || (source.kind === 'generator' && isHostGenerated(source))
const isOrthogonalJob = ({ source }: FillJob): boolean => source.kind === 'orthogonal'

/** What an orthogonal job draws. */
const normalsOf = ({ source }: FillJob): FillJob[] =>
  source.kind === 'orthogonal' ? orthogonalNormals(source).slice(0, 1) : []

/**
 * Not where the host makes the words, and not for a user's sampler: whether that equals its CPU reference is for `verify()` to say.
 */
const isSelfTested = (job: FillJob): boolean =>
  !isHostGeneratedJob(job) &&
  !isOrthogonalJob(job) &&
  !(job.source.kind === 'sampler' && typeof job.source.sampler !== 'string')

const patchKey = ({ kind }: Patch): PipelineKey => (kind === 'range' ? constantKey : diagonalKey)

/** A job per segment of its parameter. */
function targetsOf(job: FillJob, segments: readonly GpuSegment[], sharing: boolean): FillTarget[] {
  return segments.map(({ buffer, byteOffset, firstElement, elementCount }) => ({
    job: segments.length === 1 ? job : { ...job, firstElement: job.firstElement + firstElement, elementCount },
    buffer,
    byteOffset,
    sharing,
  }))
}

/** What runs jobs: their pipelines, compiled. */
type PipelinesOf = (placed: PlacedJob) => Pick<FillWork, 'pipeline' | 'pipelineId' | 'patchPipeline'>

/** Every pipeline the jobs need, compiled in parallel. */
async function compileFor(state: DeviceState, placed: readonly PlacedJob[]): Promise<PipelinesOf> {
  const keys = new Map<string, PipelineKey>()
  const sourceNames = new Map<PlacedJob, string>()
  // A model may have thousands of parameters, and has few kinds of them.
  const nameOfKind = new Map<string, string>()
  const add = (key: PipelineKey): string => {
    const name = pipelineName(key)
    keys.set(name, key)
    return name
  }
  for (const one of placed) {
    const kind = pipelineKind(one)
    const name = nameOfKind.get(kind) ?? (isOrthogonalJob(one.job) ? undefined : add(sourceKey(one)))
    if (name !== undefined) sourceNames.set(one, name)
    if (name !== undefined && kind !== '') nameOfKind.set(kind, name)
    for (const patch of one.job.patches) add(patchKey(patch))
  }
  const compiled = new Map(
    await Promise.all([...keys].map(async ([name, key]) => [name, await pipeline(state, key)] as const)),
  )
  const patchPipeline: FillWork['patchPipeline'] = (patch) => compiled.get(pipelineName(patchKey(patch)))!
  return (one) => {
    // An orthogonal job has none: it is filled before its patches are dispatched.
    const pipelineId = sourceNames.get(one) ?? ''
    return { pipelineId, pipeline: compiled.get(pipelineId)!, patchPipeline }
  }
}

/** The same text for jobs of the same pipeline; '' where that takes a closer look. */
function pipelineKind({ job: { source, dtype, part, elementCount }, byteOffset, sharing }: PlacedJob): string {
  if (source.kind !== 'sampler' || typeof source.sampler !== 'string') return ''
  const wholeQuads = hasWholeQuads({ elementCount, dtype }, byteOffset)
  return `${source.sampler} ${dtype} ${wholeQuads} ${part !== undefined} ${sharing === true}`
}

/**
 * Lets the device itself judge the caller's buffers, before anything is written: a copy of one word out of a buffer fails
 * when it is destroyed, mapped, or another device's.
 */
export async function preflight(
  state: DeviceState,
  given: ReadonlyMap<string, GpuRegion>,
  what = 'into',
): Promise<void> {
  if (given.size === 0) return
  const { device } = state
  const refuse = (name: string, cause: Error | GPUError): never => {
    throw new WeightInitError(
      'INVALID_BUFFER',
      `${what}[${show(name)}]: this device cannot use the buffer: ${cause.message} ` +
        'It must belong to this device and be neither destroyed nor mapped.',
      { cause },
    )
  }
  const scratch = device.createBuffer({ label: 'webgpu-init preflight', size: 4, usage: USAGE_COPY_DST })
  const look = (places: Iterable<{ readonly buffer: GPUBuffer; readonly byteOffset: number }>) =>
    withErrorScope(device, 'validation', () => {
      const encoder = device.createCommandEncoder({ label: 'webgpu-init preflight' })
      for (const { buffer, byteOffset } of places) encoder.copyBufferToBuffer(buffer, byteOffset, scratch, 0, 4)
      device.queue.submit([encoder.finish({ label: 'webgpu-init preflight' })])
    }).error
  try {
    // One look per buffer.
    const places = new Map<GPUBuffer, { name: string; buffer: GPUBuffer; byteOffset: number }>()
    for (const [name, region] of given) {
      for (const { buffer, byteOffset } of region.segments ?? [region])
        if (!places.has(buffer)) places.set(buffer, { name, buffer, byteOffset })
    }
    // All in one submit: a model may have thousands. Only where it fails each is asked for itself.
    try {
      if ((await untilLost(state, look(places.values()))) === null) return
    } catch (thrown) {
      requireAlive(state)
      if (thrown instanceof WeightInitError) throw thrown
    }
    for (const place of places.values()) {
      let error: Promise<GPUError | null>
      try {
        error = look([place])
      } catch (thrown) {
        // Some implementations throw for an object that is no GPUBuffer of theirs.
        refuse(place.name, thrown as Error)
        return
      }
      const problem = await untilLost(state, error)
      if (problem !== null) refuse(place.name, problem)
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
  const pipelinesOf = await compileFor(state, targets)
  const work = targets.map((target): FillWork => {
    const { job, buffer, byteOffset, sharing = false } = target
    const { pipeline, pipelineId, patchPipeline } = pipelinesOf(target)
    const filled = isHostGeneratedJob(job) || isOrthogonalJob(job)
    return { job, buffer, byteOffset, sharing, filled, pipeline, pipelineId, patchPipeline }
  })
  // Words that the host makes go another way, before the rest; only their patches are dispatched with it.
  const bytesTotal = work.reduce((sum, { job }) => sum + job.elementCount * byteWidth(job.dtype), 0)
  const hostGenerated = targets.filter(({ job }) => isHostGeneratedJob(job))
  let bytesDone = await runHostGeneratedJobs(state, hostGenerated, options, bytesTotal)
  for (const group of byParameter(targets.filter(({ job }) => isOrthogonalJob(job)))) {
    options.signal?.throwIfAborted()
    const { signal } = options
    await fillOrthogonal(state, group, (parts) => runJobs(state, parts, signal === undefined ? {} : { signal }), signal)
    bytesDone += group.reduce((sum, { job }) => sum + job.elementCount * byteWidth(job.dtype), 0)
    options.onProgress?.({ parameter: group[0]!.job.name, bytesDone, bytesTotal })
  }
  await submitFills(state, work, options)
  // A call that was aborted does not succeed, even when the work was done by then.
  options.signal?.throwIfAborted()
}

/** The targets of each parameter together: the segments of one share their source. */
function byParameter(targets: readonly FillTarget[]): FillTarget[][] {
  const groups = new Map<FillSource, FillTarget[]>()
  for (const target of targets) {
    const group = groups.get(target.job.source)
    if (group === undefined) groups.set(target.job.source, [target])
    else group.push(target)
  }
  return [...groups.values()]
}
