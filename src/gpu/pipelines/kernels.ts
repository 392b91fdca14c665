import { USAGE_COPY_DST, USAGE_UNIFORM } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { type SubmittedWork, submit } from '../device/submit.js'
import { alignUp } from '../device/windows.js'
import { type BindingLayout, uniformBlocks } from '../shaders/pipeline-key.js'
import { bindGroupCache } from './bind-groups.js'

/** One dispatch of a kernel, with matrices or tensors as inputs and one or two outputs. */
export interface KernelDispatch {
  readonly pipeline: GPUComputePipeline
  /** `kernelLayout`, or one that differs from it in an input or has a second output. */
  readonly layout: BindingLayout
  /** The kernel's uniform record, at most RECORD_BYTES long. */
  readonly record: ArrayBuffer
  /** The output. `a` and `b` are the inputs; a kernel without a second input gets the first one again as `b`. */
  readonly output: GPUBufferBinding
  readonly a: GPUBufferBinding
  readonly b?: GPUBufferBinding
  /** A second output, for the layouts that have one. */
  readonly d?: GPUBufferBinding
  readonly grid: readonly [x: number, y: number, z: number]
  /** The approximate number of multiplications, by which the work is divided into submits. */
  readonly cost: number
}

const RECORD_BYTES = 96

export const kernelOutput: GPUBufferBindingLayout = { type: 'storage' }
export const kernelRecord: GPUBufferBindingLayout = /* @__PURE__ */ uniformBlocks({ byteLength: RECORD_BYTES })
export const kernelInput: GPUBufferBindingLayout = { type: 'read-only-storage' }

/** One output, the record, two inputs. */
export const kernelLayout: BindingLayout = {
  name: 'kernel',
  entries: [kernelOutput, kernelRecord, kernelInput, kernelInput],
}

/**
 * Multiplications per submit: some milliseconds on a GPU, a second on the slowest software device. This is short enough for
 * the GPU watchdog, and an abort is noticed in time.
 */
const COST_PER_SUBMIT = 2 ** 29
/** What a dispatch costs a CPU in addition to its multiplications, expressed as a number of multiplications. */
const COST_PER_DISPATCH = 2 ** 21

/**
 * Runs dispatches in order and resolves when the device has done them. The signal is checked between submits.
 * @throws DeviceLostError; WeightInitError `DEVICE_ERROR`; the signal's reason
 */
export async function runKernels(
  state: DeviceState,
  work: Omit<SubmittedWork, 'memory'>,
  dispatches: readonly KernelDispatch[],
  signal?: AbortSignal,
): Promise<void> {
  const { device } = state
  const { label } = work
  const stride = alignUp(RECORD_BYTES, device.limits.minUniformBufferOffsetAlignment)
  const records = new Uint8Array(dispatches.length * stride)
  for (const [index, { record }] of dispatches.entries()) records.set(new Uint8Array(record), index * stride)
  const uniform = device.createBuffer({ label, size: records.byteLength, usage: USAGE_UNIFORM | USAGE_COPY_DST })
  try {
    device.queue.writeBuffer(uniform, 0, records)
    const group = bindGroupCache(state, label)
    for (let next = 0; next < dispatches.length; ) {
      signal?.throwIfAborted()
      await submit(state, work, (pass) => {
        for (let cost = 0; next < dispatches.length && cost < COST_PER_SUBMIT; next++) {
          const dispatch = dispatches[next]!
          const { pipeline, layout, output, a, b = a, d, grid } = dispatch
          pass.setPipeline(pipeline)
          const buffers = [output, { buffer: uniform, size: RECORD_BYTES }, a, b]
          pass.setBindGroup(0, group(layout, d === undefined ? buffers : [...buffers, d]), [next * stride])
          pass.dispatchWorkgroups(...grid)
          cost += dispatch.cost + COST_PER_DISPATCH
        }
      })
    }
  } finally {
    uniform.destroy()
  }
}
