import type { DeviceState } from '../device/device-state.js'
import { compileFills } from './compile.js'
import { isHostGeneratedJob, runHostGeneratedJobs } from './host-generated.js'
import { type FillOptions, submitFills } from './submit-fills.js'
import type { FillTarget } from './target.js'

/**
 * Fills every target from its source, then writes its patches. For a target that is already filled, only the patches are
 * written. Resolves when the device has done the work. Orthogonal matrices are made by the caller, src/gpu/run-jobs.ts.
 */
export async function runFills(
  state: DeviceState,
  targets: readonly FillTarget[],
  options: FillOptions = {},
): Promise<void> {
  const pipelinesOf = await compileFills(state, targets)
  // Words that the host makes are uploaded first, by other code. Here only the patches of these jobs are dispatched.
  await runHostGeneratedJobs(state, targets, options)
  const work = targets.map((target) => {
    const filled = target.filled === true || isHostGeneratedJob(target.job)
    return { ...target, ...pipelinesOf(target), filled }
  })
  await submitFills(state, work, options)
  // An aborted call must not succeed, even if the work was already done at that moment.
  options.signal?.throwIfAborted()
}
