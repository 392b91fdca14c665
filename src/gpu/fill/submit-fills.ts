import { show } from '../../core/errors.js'
import type { InitializationProgress } from '../../plan/options.js'
import { type DeviceState, requireAlive } from '../device/device-state.js'
import { submit } from '../device/submit.js'
import { SubmitBudget } from '../device/submit-budget.js'
import { bindGroupCache } from '../pipelines/bind-groups.js'
import { fillPartLayout, fillSharingLayout, jobLayout, MOST_SHARING } from './layouts.js'
import { partLayout } from './part-layout.js'
import { byteLengthOf } from './target.js'
import { UniformBlocks } from './uniform-blocks.js'
import { type FillDispatch, type FillWork, WindowQueue } from './window-queue.js'
import { workgroupsFor } from './workgroups.js'

/** The largest number of dispatches in one submit. Their uniform blocks take at most 1 MiB of memory (2 MiB with parts). */
const MAX_DISPATCHES = 4096
/** Additional blocks, because a submit may end inside a window, which then takes two dispatches. */
const SPARE_BLOCKS = 4
const LABEL = 'webgpu-init fill'

export interface FillOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: InitializationProgress) => void) | undefined
}

/**
 * Fills every target, in as few submits as the GPU watchdog allows, one after the other. The signal is checked before each
 * submit, so that an abort waits for at most the one that is running. Resolves when the device has done the work.
 */
export async function submitFills(
  state: DeviceState,
  work: readonly FillWork[],
  { signal, onProgress }: FillOptions = {},
): Promise<void> {
  if (!work.some(hasDispatches)) return
  const bytesTotal = work.reduce((sum, one) => sum + byteLengthOf(one), 0)
  const budget = new SubmitBudget(state.speed, signal !== undefined || onProgress !== undefined)
  const queue = new WindowQueue(work.filter(hasDispatches), state.device.limits)
  const uniforms = new UniformBlocks(state, {
    count: Math.min(queue.dispatchCount + SPARE_BLOCKS, MAX_DISPATCHES),
    withParts: work.some(({ job }) => job.part !== undefined),
    withSharing: work.some(({ sharing }) => sharing),
  })
  try {
    const groups = bindGroupCache(state, LABEL)
    const groupOf = ({ buffer, binding: { offset, byteLength }, layout }: FillDispatch): GPUBindGroup => {
      const blocks = layout === fillSharingLayout ? MOST_SHARING : 1
      const buffers = [
        { buffer, offset, size: byteLength },
        { buffer: uniforms.jobs, size: blocks * jobLayout.byteLength },
      ]
      if (layout === fillPartLayout) buffers.push({ buffer: uniforms.parts!, size: partLayout.byteLength })
      return groups(layout, buffers)
    }
    let bytesDone = work.reduce((sum, one) => sum + (one.filled ? byteLengthOf(one) : 0), 0)
    while (!queue.empty) {
      signal?.throwIfAborted()
      const { dispatches, bytes, parameter } = queue.next(budget, uniforms)
      if (dispatches.length === 0) continue
      const subject = show(parameter)
      const { byteLength, error } = uniforms
      const memory = { byteLength, error, purpose: `to fill ${subject}` }
      const milliseconds = await submit(state, { label: LABEL, subject, memory }, (pass) => {
        uniforms.write()
        for (const dispatch of dispatches) {
          const { pipeline, blocks, iterations, rows } = dispatch
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, groupOf(dispatch), blocks)
          pass.dispatchWorkgroups(workgroupsFor(state, iterations, rows), rows)
        }
      })
      budget.done(milliseconds)
      bytesDone += bytes
      onProgress?.({ parameter, bytesDone, bytesTotal })
    }
    // An aborted call must not succeed, even if the work was already done at that moment.
    signal?.throwIfAborted()
    requireAlive(state)
  } finally {
    uniforms.destroy()
  }
}

const hasDispatches = ({ job, filled }: FillWork): boolean => !filled || job.patches.length > 0
