import { fillJob, orthogonalNormals } from '../fill/make-job.js'
import { segmentsOf } from '../fill/regions.js'
import type { FillJob } from '../ir/job.js'
import type { InitializationPlan } from '../ir/plan.js'
import type { ResolvedOptions } from '../plan/options.js'
import { deviceState, requireAlive } from './device/device-state.js'
import { compileFills } from './fill/compile.js'
import { sharingJobs } from './fill/sharing.js'
import { type PlacedJob, targetsOf } from './fill/target.js'
import { GpuStore } from './gpu-store.js'
import { checkOrthogonal, isOrthogonalJob } from './orthogonal/fill.js'
import { runJobs } from './run-jobs.js'
import { selfTest } from './self-test/self-test.js'
import { allocate, checkSizes } from './weights/allocate.js'
import { checkRegions, preflight } from './weights/regions.js'

/** Runs a plan on a device. If any step fails, everything that was made here is destroyed. */
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
  // Compiling, and checking the caller's buffers, come before any allocation.
  const placed = active.flatMap((parameter, index): PlacedJob[] => {
    const region = given.get(parameter.name)
    const job = jobs[index]!
    // Memory that is made here begins at a multiple of 256 bytes, and so do its segments.
    return region === undefined
      ? [{ job, byteOffset: 0, sharing: sharing.has(job) }]
      : targetsOf(job, segmentsOf(region, parameter), sharing.has(job))
  })
  const drawn = [...placed, ...jobs.flatMap(normalsOf).map((job) => ({ job, byteOffset: 0 }))]
  const [pipelinesOf] = await Promise.all([compileFills(state, drawn), preflight(state, given)])
  await selfTest(state, drawn, pipelinesOf)
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
  return new GpuStore(state, regions, owned)
}

/** The jobs that draw the normals of an orthogonal job. */
const normalsOf = ({ source }: FillJob): FillJob[] =>
  source.kind === 'orthogonal' ? orthogonalNormals(source).slice(0, 1) : []
