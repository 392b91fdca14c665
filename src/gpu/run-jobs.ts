import type { FillSource } from '../ir/job.js'
import type { DeviceState } from './device/device-state.js'
import { runFills } from './fill/run-fills.js'
import type { FillOptions } from './fill/submit-fills.js'
import { byteLengthOf, type FillTarget } from './fill/target.js'
import { fillOrthogonal, isOrthogonalJob } from './orthogonal/fill.js'

/**
 * Fills every target: first the orthogonal matrices, one parameter after another, then everything else and all patches in as
 * few submits as possible. Resolves when the device has done the work.
 */
export async function runJobs(
  state: DeviceState,
  targets: readonly FillTarget[],
  options: FillOptions = {},
): Promise<void> {
  const { signal, onProgress } = options
  const bytesTotal = targets.reduce((sum, target) => sum + byteLengthOf(target), 0)
  let bytesDone = 0
  for (const group of byParameter(targets.filter(({ job }) => isOrthogonalJob(job)))) {
    signal?.throwIfAborted()
    await fillOrthogonal(state, group, signal)
    bytesDone += group.reduce((sum, target) => sum + byteLengthOf(target), 0)
    onProgress?.({ parameter: group[0]!.job.name, bytesDone, bytesTotal })
  }
  await runFills(
    state,
    targets.map((target) => (isOrthogonalJob(target.job) ? { ...target, filled: true } : target)),
    options,
  )
}

/** Groups the targets by parameter, because the segments of a parameter share their source. */
function byParameter(targets: readonly FillTarget[]): FillTarget[][] {
  const groups = new Map<FillSource, FillTarget[]>()
  for (const target of targets) {
    const group = groups.get(target.job.source)
    if (group === undefined) groups.set(target.job.source, [target])
    else group.push(target)
  }
  return [...groups.values()]
}
