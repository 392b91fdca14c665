import { byteWidth } from '../../core/dtype.js'
import { OutOfMemoryError, show, WeightInitError } from '../../core/errors.js'
import type { InitializationProgress } from '../../plan/options.js'
import { type DeviceState, requireAlive, untilLost } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import { SubmitBudget } from '../device/submit-budget.js'
import { WorkDone } from '../device/work-done.js'
import { bindGroupLayout, workgroupsFor } from '../shaders/pipelines.js'
import { jobLayout, MOST_SHARING } from './job-layout.js'
import { partLayout } from './part-layout.js'
import { UniformBlocks } from './uniform-blocks.js'
import { type Dispatch, type FillWork, WindowQueue } from './window-queue.js'

/** Dispatches of one submit: their uniform blocks take at most 1 MiB of device memory (2 MiB with parts). */
const MAX_DISPATCHES = 4096
/** A submit may end inside a window, which then takes two pieces. */
const SPARE_BLOCKS = 4

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
  const budget = new SubmitBudget(state.speed, signal !== undefined || onProgress !== undefined)
  const queue = new WindowQueue(work.filter(hasDispatches), device.limits)
  const uniforms = new UniformBlocks(state, {
    count: Math.min(queue.dispatchCount + SPARE_BLOCKS, MAX_DISPATCHES),
    withParts: work.some(({ job }) => job.part !== undefined),
    withSharing: work.some(({ sharing }) => sharing),
  })
  const done = new WorkDone(state)
  try {
    const groups = bindGroupCache(state, uniforms)
    let bytesDone = work.reduce((sum, one) => sum + (one.filled ? bytesOf(one) : 0), 0)
    while (!queue.empty) {
      signal?.throwIfAborted()
      const { dispatches, bytes, parameter } = queue.next(budget, uniforms)
      if (dispatches.length === 0) continue
      let began = 0
      const submitted = withErrorScope(device, 'validation', () => {
        uniforms.write()
        const encoder = device.createCommandEncoder({ label: 'webgpu-init fill' })
        const pass = encoder.beginComputePass({ label: 'webgpu-init fill' })
        for (const dispatch of dispatches) {
          const { pipeline, blocks, turns, rows } = dispatch
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, groups(dispatch), blocks)
          pass.dispatchWorkgroups(workgroupsFor(state, turns, rows), rows)
        }
        pass.end()
        done.mark(encoder)
        const commands = encoder.finish({ label: 'webgpu-init fill' })
        began = performance.now()
        device.queue.submit([commands])
      })
      const [noMemory, problem] = await untilLost(state, Promise.all([uniforms.error, submitted.error, done.wait()]))
      budget.done(performance.now() - began)
      bytesDone += bytes
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
    done.destroy()
    uniforms.destroy()
  }
}

const bytesOf = ({ job }: FillWork): number => job.elementCount * byteWidth(job.dtype)
const hasDispatches = ({ job, filled }: FillWork): boolean => !filled || job.patches.length > 0

/** One bind group per (buffer, binding), however many parameters lie there. */
function bindGroupCache(state: DeviceState, { jobs, parts }: UniformBlocks): (dispatch: Dispatch) => GPUBindGroup {
  const byBuffer = new Map<GPUBuffer, Map<string, GPUBindGroup>>()
  const blockCounts = { fill: 1, 'fill-part': 1, 'fill-sharing': MOST_SHARING } as const
  return ({ buffer, binding: { offset, byteLength }, layout }) => {
    const known = byBuffer.get(buffer) ?? new Map<string, GPUBindGroup>()
    byBuffer.set(buffer, known)
    const key = `${offset} ${layout}`
    let group = known.get(key)
    if (group === undefined) {
      group = state.device.createBindGroup({
        label: 'webgpu-init fill',
        layout: bindGroupLayout(state, layout),
        entries: [
          { binding: 0, resource: { buffer, offset, size: byteLength } },
          { binding: 1, resource: { buffer: jobs, size: blockCounts[layout] * jobLayout.byteLength } },
          ...(layout === 'fill-part'
            ? [{ binding: 2, resource: { buffer: parts!, size: partLayout.byteLength } }]
            : []),
        ],
      })
      known.set(key, group)
    }
    return group
  }
}
