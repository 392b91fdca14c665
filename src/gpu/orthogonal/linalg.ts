import { WeightInitError } from '../../core/errors.js'
import { USAGE_COPY_DST, USAGE_UNIFORM } from '../device/constants.js'
import { type DeviceState, untilLost } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import { alignUp } from '../device/windows.js'
import { WorkDone } from '../device/work-done.js'
import type { PipelineKey } from '../shaders/pipeline-key.js'
import { bindGroupLayout } from '../shaders/pipelines.js'

/** A part of a buffer that a kernel sees. */
export interface View {
  readonly buffer: GPUBuffer
  readonly offset?: number
  readonly size?: number
}

/** One dispatch of a kernel under shaders/orthogonal. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly layout: Extract<PipelineKey['layout'], `linalg${string}`>
  /** The kernel's uniform record, 96 bytes at most. */
  readonly record: ArrayBuffer
  /** Written; and the inputs. A kernel without a second input is given the first again. */
  readonly output: View
  readonly a: View
  readonly b?: View
  /** A second output, for the layouts that have one. */
  readonly d?: View
  readonly grid: readonly [x: number, y: number, z: number]
  /** Multiplications, about: what a submit is cut by. */
  readonly cost: number
}

const RECORD_BYTES = 96
/** Multiplications a submit: some ms on a GPU, a second on the slowest software device, so that no watchdog barks and an abort is heard in time. */
const COST_PER_SUBMIT = 2 ** 29
/** What a dispatch costs a CPU beside its multiplications, in those. */
const COST_PER_DISPATCH = 2 ** 21

/** Fields of `Task` in shaders/orthogonal/task.wgsl, in its order. A test reads them out of the shader and compares. */
export const taskFields = [
  'aOffset',
  'aStride',
  'aBatch',
  'bOffset',
  'bStride',
  'bBatch',
  'cOffset',
  'cStride',
  'cBatch',
  'rows',
  'columns',
  'depth',
  'chunk',
  'splits',
  'splitStride',
  'flags',
  'dOffset',
  'dStride',
  'dBatch',
  'unused',
] as const

export type Task = Partial<Record<(typeof taskFields)[number], number>>

export const FLIP = 1
export const FIRST = 2
export const PROJECTED = 4
export const ORTHONORMAL = 8
export const INDEPENDENT = 16

/** Absent fields are 0. */
export function packTask(task: Task): ArrayBuffer {
  return Uint32Array.from(taskFields, (name) => task[name] ?? 0).buffer
}

/**
 * Runs dispatches in order and resolves when the device has done them. Between submits it listens to the signal.
 * @throws DeviceLostError; WeightInitError `DEVICE_ERROR`; the signal's reason
 */
export async function runDispatches(
  state: DeviceState,
  label: string,
  dispatches: readonly Dispatch[],
  signal?: AbortSignal,
): Promise<void> {
  const { device } = state
  const stride = alignUp(RECORD_BYTES, device.limits.minUniformBufferOffsetAlignment)
  const records = new Uint8Array(dispatches.length * stride)
  for (const [index, { record }] of dispatches.entries()) records.set(new Uint8Array(record), index * stride)
  const uniform = device.createBuffer({ label, size: records.byteLength, usage: USAGE_UNIFORM | USAGE_COPY_DST })
  const done = new WorkDone(state)
  try {
    device.queue.writeBuffer(uniform, 0, records)
    const group = bindGroupCache(state, label, uniform)
    for (let next = 0; next < dispatches.length; ) {
      signal?.throwIfAborted()
      let cost = 0
      const { error } = withErrorScope(device, 'validation', () => {
        const encoder = device.createCommandEncoder({ label })
        const pass = encoder.beginComputePass({ label })
        for (; next < dispatches.length && cost < COST_PER_SUBMIT; next++) {
          const dispatch = dispatches[next]!
          pass.setPipeline(dispatch.pipeline)
          pass.setBindGroup(0, group(dispatch), [next * stride])
          pass.dispatchWorkgroups(...dispatch.grid)
          cost += dispatch.cost + COST_PER_DISPATCH
        }
        pass.end()
        done.mark(encoder)
        device.queue.submit([encoder.finish({ label })])
      })
      const [problem] = await untilLost(state, Promise.all([error, done.wait()]))
      if (problem !== null) {
        throw new WeightInitError('DEVICE_ERROR', `The device refused the work of ${label}: ${problem.message}`, {
          cause: problem,
        })
      }
    }
  } finally {
    done.destroy()
    uniform.destroy()
  }
}

/** One bind group per combination of views: there are few, and hundreds of dispatches. */
function bindGroupCache(state: DeviceState, label: string, uniform: GPUBuffer): (dispatch: Dispatch) => GPUBindGroup {
  const numbers = new Map<GPUBuffer, number>()
  const number = (buffer: GPUBuffer): number => {
    const known = numbers.get(buffer) ?? numbers.size
    numbers.set(buffer, known)
    return known
  }
  const groups = new Map<string, GPUBindGroup>()
  return ({ layout, output, a, b = a, d }) => {
    const key = `${layout} ${[output, a, b, ...(d === undefined ? [] : [d])].map((view) => `${number(view.buffer)}+${view.offset ?? 0}`).join(' ')}`
    let group = groups.get(key)
    if (group === undefined) {
      group = state.device.createBindGroup({
        label,
        layout: bindGroupLayout(state, layout),
        entries: [
          { binding: 0, resource: { ...output } },
          { binding: 1, resource: { buffer: uniform, size: RECORD_BYTES } },
          { binding: 2, resource: { ...a } },
          { binding: 3, resource: { ...b } },
          ...(d === undefined ? [] : [{ binding: 4, resource: { ...d } }]),
        ],
      })
      groups.set(key, group)
    }
    return group
  }
}
