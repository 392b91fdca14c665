import type { DType } from '../../core/dtype.js'
import type { Measurement } from '../../statistics/measurement.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE, USAGE_UNIFORM } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { destroyAll, requestBuffers } from '../device/memory.js'
import { copyOut } from '../device/readback.js'
import { submit } from '../device/submit.js'
import { SubmitBudget } from '../device/submit-budget.js'
import { alignUp } from '../device/windows.js'
import { bindGroup, bindGroupCache } from '../pipelines/bind-groups.js'
import { pipeline } from '../pipelines/pipelines.js'
import { loadSlots } from '../shaders/pipeline-key.js'
import type { Anchors } from './anchors.js'
import { EDGE_TABLE_BYTES, EdgeTables } from './edges.js'
import { MEASURE_JOB_BYTES, measureLayout, mergeLayout, packMeasureJob } from './layout.js'
import {
  dispatchesOf,
  type GpuMeasuredTensor,
  GROUP_ELEMENTS,
  type MeasurePiece,
  piecesOf,
  runTable,
} from './pieces.js'
import { RECORD_WORDS, readRecord } from './record.js'

const LABEL = 'webgpu-init measure'
const RECORD_BYTES = 4 * RECORD_WORDS
const PARTIAL_BYTES = 32

export interface MeasuredPiece {
  readonly piece: MeasurePiece
  readonly measurement: Measurement
  /** False where float32 could not hold the sums. */
  readonly trusted: boolean
}

/** One pass over each tensor, many in a submit, one readback for all. Tensors of floats only. */
export async function measureOnDevice(
  state: DeviceState,
  anchors: Anchors,
  tensors: readonly GpuMeasuredTensor[],
  signal: AbortSignal | undefined,
): Promise<MeasuredPiece[]> {
  const { device } = state
  const pieces = tensors.flatMap(piecesOf)
  const planned = pieces.map((piece, index) => dispatchesOf(piece, index, device.limits))
  const dispatches = planned.flatMap((p) => p.dispatches)
  const firstPartials: number[] = []
  let partialCount = 0
  for (const { elementCount } of dispatches) {
    firstPartials.push(partialCount)
    partialCount += Math.ceil(elementCount / GROUP_ELEMENTS)
  }
  const edges = new EdgeTables(tensors)
  const pipelines = await measurePipelines(state, tensors)
  const stride = alignUp(MEASURE_JOB_BYTES, device.limits.minUniformBufferOffsetAlignment)
  const memory = requestBuffers(state, LABEL, 'for the statistics', {
    jobs: { byteLength: dispatches.length * stride, usage: USAGE_UNIFORM | USAGE_COPY_DST },
    edges: { byteLength: edges.words.byteLength, usage: USAGE_UNIFORM | USAGE_COPY_DST },
    partials: { byteLength: partialCount * PARTIAL_BYTES, usage: USAGE_STORAGE },
    records: { byteLength: pieces.length * RECORD_BYTES, usage: USAGE_STORAGE | USAGE_COPY_SRC },
    runs: { byteLength: pieces.length * 16, usage: USAGE_STORAGE | USAGE_COPY_DST },
  })
  const { buffers } = memory
  try {
    const blocks = new DataView(new ArrayBuffer(dispatches.length * stride))
    dispatches.forEach((dispatch, index) => {
      const { tensor, run } = pieces[dispatch.piece]!
      packMeasureJob(blocks, index * stride, dispatch, tensor.normalisation, {
        firstPartial: firstPartials[index]!,
        result: dispatch.piece * RECORD_WORDS,
        anchorMask: anchors.mask,
        anchorCapacity: tensor.anchored && !tensor.runs[run]!.padding ? anchors.capacity : 0,
        id: anchors.place(tensor.parameter.name, dispatch.firstElement),
      })
    })
    device.queue.writeBuffer(buffers.jobs, 0, blocks.buffer)
    device.queue.writeBuffer(buffers.edges, 0, edges.words)
    device.queue.writeBuffer(buffers.runs, 0, runTable(planned, dispatches, firstPartials))
    // A model's parameters often share their buffer, and so a bind group.
    const group = bindGroupCache(state, LABEL)
    const budget = new SubmitBudget(state.speed, signal !== undefined)
    for (let next = 0; next < dispatches.length; ) {
      signal?.throwIfAborted()
      const milliseconds = await submit(state, { label: LABEL, subject: 'the statistics', memory }, (pass) => {
        for (; next < dispatches.length; next++) {
          const { piece: index, binding, elementCount } = dispatches[next]!
          const piece = pieces[index]!
          const { dtype } = piece.tensor.parameter
          if (!budget.takeWhole(`measure ${dtype}`, elementCount)) break
          pass.setPipeline(pipelines.get(dtype)!)
          const bindings = [
            { buffer: piece.buffer, offset: binding.offset, size: binding.byteLength },
            { buffer: buffers.jobs, size: MEASURE_JOB_BYTES },
            { buffer: buffers.edges, size: EDGE_TABLE_BYTES },
            { buffer: buffers.partials },
            { buffer: buffers.records },
            { buffer: anchors.buffer },
          ]
          pass.setBindGroup(0, group(measureLayout, bindings), [next * stride, edges.offsetOf(piece.tensor)])
          pass.dispatchWorkgroups(Math.ceil(elementCount / GROUP_ELEMENTS))
        }
        if (next < dispatches.length) return
        const { partials, records, runs } = buffers
        pass.setPipeline(pipelines.get('merge')!)
        pass.setBindGroup(
          0,
          bindGroup(state, LABEL, mergeLayout, [{ buffer: partials }, { buffer: records }, { buffer: runs }]),
        )
        const across = Math.min(pieces.length, 65535)
        pass.dispatchWorkgroups(across, Math.ceil(pieces.length / across))
      })
      budget.done(milliseconds)
    }
    let measured: MeasuredPiece[] = []
    await copyOut(state, buffers.records, 0, pieces.length * RECORD_BYTES, (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      measured = pieces.map((piece, index) => ({
        piece,
        ...readRecord(view, index * RECORD_BYTES, piece.tensor.normalisation, planned[index]!),
      }))
    })
    return measured
  } finally {
    destroyAll(buffers)
  }
}

/** By dtype, and 'merge'. */
async function measurePipelines(
  state: DeviceState,
  tensors: readonly GpuMeasuredTensor[],
): Promise<Map<string, GPUComputePipeline>> {
  const dtypes = [...new Set(tensors.map(({ tensor }): DType => tensor.parameter.dtype))]
  const named = dtypes.map(async (dtype) => {
    const slots = loadSlots(dtype)
    return [dtype, await pipeline(state, { entry: 'statistics/measure', slots, layout: measureLayout })] as const
  })
  const merge = pipeline(state, { entry: 'statistics/merge', layout: mergeLayout })
  return new Map<string, GPUComputePipeline>([...(await Promise.all(named)), ['merge', await merge]])
}
