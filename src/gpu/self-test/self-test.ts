import { byteWidth } from '../../core/dtype.js'
import { fillBytes } from '../../cpu/fill.js'
import type { FillJob } from '../../ir/job.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { copyOut } from '../device/readback.js'
import { withErrorScope } from '../device/scopes.js'
import { alignUp } from '../device/windows.js'
import type { PipelinesOf } from '../fill/compile.js'
import { isHostGeneratedJob } from '../fill/host-generated.js'
import { submitFills } from '../fill/submit-fills.js'
import type { PlacedJob } from '../fill/target.js'
import type { FillPipelines } from '../fill/window-queue.js'
import { hasWholeQuads } from '../shaders/pipeline-key.js'
import { diagnose } from './diagnose.js'
import { selfTestJobs } from './jobs.js'

/**
 * Tests every pipeline that the jobs need and that this device has not used before: makes a few thousand values under the
 * jobs' own distributions and compares them with the CPU's, bit by bit. It runs once per device and pipeline, and compiles
 * no additional pipeline.
 * @throws WeightInitError `DEVICE_MISCOMPUTES` naming the first function that the device computes wrong
 */
export async function selfTest(
  state: DeviceState,
  jobs: readonly PlacedJob[],
  pipelinesOf: PipelinesOf,
): Promise<void> {
  const fresh = new Map<string, FillPipelines & PlacedJob>()
  const wanted = new Set<Promise<void>>()
  for (const placed of jobs) {
    if (!isSelfTested(placed.job)) continue
    const found = pipelinesOf(placed)
    const known = state.selfTests.get(found.pipelineId)
    if (known !== undefined) wanted.add(known)
    else if (!fresh.has(found.pipelineId)) fresh.set(found.pipelineId, { ...found, ...placed })
  }
  if (fresh.size > 0) {
    const test = testPipelines(state, [...fresh.values()])
    wanted.add(test)
    for (const id of fresh.keys()) state.selfTests.set(id, test)
    test.catch(() => {
      for (const id of fresh.keys()) if (state.selfTests.get(id) === test) state.selfTests.delete(id)
    })
  }
  await Promise.all(wanted)
}

/**
 * Whether a job's pipeline is tested. Jobs whose words the host makes, orthogonal matrices and custom samplers are not:
 * whether a custom sampler equals its CPU reference is what `verify()` checks.
 */
const isSelfTested = (job: FillJob): boolean =>
  !isHostGeneratedJob(job) &&
  job.source.kind !== 'orthogonal' &&
  !(job.source.kind === 'sampler' && typeof job.source.sampler !== 'string')

async function testPipelines(state: DeviceState, pipelines: readonly (FillPipelines & PlacedJob)[]): Promise<void> {
  const { device } = state
  let byteLength = 0
  const placed = pipelines.flatMap(({ job, byteOffset: at, ...rest }) =>
    selfTestJobs(job, hasWholeQuads(job, at)).map((test) => {
      const byteOffset = byteLength
      byteLength += alignUp(test.elementCount * byteWidth(test.dtype), 16)
      return { ...rest, tested: job, job: test, byteOffset }
    }),
  )
  // The buffer is too small to run out of memory. If the device refuses it, the submit reports the error.
  const { result: buffer } = withErrorScope(device, 'out-of-memory', () =>
    device.createBuffer({
      label: 'webgpu-init self-test',
      size: byteLength,
      usage: USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST,
    }),
  )
  let wrong: FillJob | undefined
  try {
    await submitFills(
      state,
      placed.map((work) => ({ ...work, buffer })),
    )
    await copyOut(state, buffer, 0, byteLength, (actual) => {
      wrong = placed.find(({ job, byteOffset }) => {
        const expected = fillBytes(job, 0, job.elementCount)
        return expected.some((byte, index) => byte !== actual[byteOffset + index])
      })?.tested
    })
  } finally {
    buffer.destroy()
  }
  if (wrong !== undefined) await diagnose(state, wrong)
}
