import { byteWidth } from '../../core/dtype.js'
import { show } from '../../core/errors.js'
import type { FillJob } from '../../ir/job.js'
import type { PartGeometry } from '../../ir/part.js'
import { elementIndex } from '../../plan/parts/geometry.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { submit } from '../device/submit.js'
import { SubmitBudget } from '../device/submit-budget.js'
import { bindingWindows } from '../device/windows.js'
import { fillConstants } from '../fill/layouts.js'
import type { FillTarget } from '../fill/target.js'
import { workgroupsFor } from '../fill/workgroups.js'
import { bindGroup } from '../pipelines/bind-groups.js'
import { pipeline, pipelineName } from '../pipelines/pipelines.js'
import { type PipelineKey, roundSlots } from '../shaders/pipeline-key.js'
import { type MatrixElements, orthogonalPartBindings, orthogonalPartLayout, packOrthogonalPart } from './part-layout.js'

/** The matrices of one group, in a buffer of their own. */
export interface MadeMatrices extends MatrixElements {
  readonly buffer: GPUBuffer
}

const LABEL = 'webgpu-init orthogonal part'

/** The elements of a job as a part of the whole tensor. A job without a part is one run of elements. */
export const geometryOf = ({ part, firstElement, elementCount }: FillJob): PartGeometry =>
  part ?? { firstElement: 0, axes: [{ length: firstElement + elementCount, stride: 1 }] }

/** The range of the whole tensor from the first to the last element of a job. */
export function elementSpan(job: FillJob): readonly [first: number, end: number] {
  const geometry = geometryOf(job)
  const { firstElement, elementCount } = job
  return [elementIndex(geometry, firstElement), elementIndex(geometry, firstElement + elementCount - 1) + 1]
}

/**
 * Writes those elements of a target that lie in the given matrices. The target must have been filled with zeros before. The
 * submits stay within the submit budget.
 */
export async function writeOrthogonalPart(
  state: DeviceState,
  { job, buffer, byteOffset }: FillTarget,
  matrices: MadeMatrices,
  signal?: AbortSignal,
): Promise<void> {
  const { device } = state
  const width = byteWidth(job.dtype)
  const geometry = geometryOf(job)
  const key: PipelineKey = {
    entry: 'orthogonal/part',
    slots: roundSlots(job.dtype),
    layout: orthogonalPartBindings,
    constants: fillConstants,
  }
  const compiled = await pipeline(state, key)
  const budget = new SubmitBudget(state.speed, true)
  const uniform = device.createBuffer({
    label: LABEL,
    size: orthogonalPartLayout.byteLength,
    usage: USAGE_UNIFORM | USAGE_COPY_DST,
  })
  try {
    const region = { bufferByteLength: buffer.size, byteOffset, elementCount: job.elementCount, byteWidth: width }
    for (const { binding, start, count, firstWord } of bindingWindows(region, device.limits)) {
      const group = bindGroup(state, LABEL, orthogonalPartBindings, [
        { buffer, offset: binding.offset, size: binding.byteLength },
        { buffer: uniform },
        { buffer: matrices.buffer },
      ])
      for (let done = 0; done < count; ) {
        signal?.throwIfAborted()
        const taken = budget.take(pipelineName(key), count - done)
        const fields = {
          firstLocal: job.firstElement + start + done,
          elementCount: taken,
          firstWord: firstWord + (done * width) / 4,
          byteWidth: width,
        }
        device.queue.writeBuffer(uniform, 0, packOrthogonalPart(geometry, matrices, fields))
        const milliseconds = await submit(state, { label: LABEL, subject: show(job.name) }, (pass) => {
          pass.setPipeline(compiled)
          pass.setBindGroup(0, group, [0])
          pass.dispatchWorkgroups(workgroupsFor(state, taken))
        })
        budget.done(milliseconds)
        done += taken
      }
    }
  } finally {
    uniform.destroy()
  }
}
