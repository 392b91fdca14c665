import type { DeviceState } from '../device/device-state.js'
import { compileFills } from './compile.js'
import { isHostGeneratedJob, runHostGeneratedJobs } from './host-generated.js'
import { type FillOptions, submitFills } from './submit-fills.js'
import type { FillTarget } from './target.js'

/**
 * Fills every target by its source, then writes its patches; of a target that is filled already only the patches. Resolves when
 * the device has done the work. Matrices are made above this, in src/gpu/run-jobs.ts.
 */
export async function runFills(
  state: DeviceState,
  targets: readonly FillTarget[],
  options: FillOptions = {},
): Promise<void> {
  const pipelinesOf = await compileFills(state, targets)
  // Words that the host makes go another way, before the rest; only their patches are dispatched with it.
  await runHostGeneratedJobs(state, targets, options)
  const work = targets.map((target) => {
    const filled = target.filled === true || isHostGeneratedJob(target.job)
    return { ...target, ...pipelinesOf(target), filled }
  })
  await submitFills(state, work, options)
  // A call that was aborted does not succeed, even when the work was done by then.
  options.signal?.throwIfAborted()
}
