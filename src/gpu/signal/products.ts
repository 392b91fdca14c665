import { byteWidth, type FloatDType } from '../../core/dtype.js'
import type { PlannedParameter } from '../../ir/plan.js'
import type { ConvStep, LinearStep } from '../../signal/steps.js'
import type { DeviceState } from '../device/device-state.js'
import type { GpuSegment } from '../device/segments.js'
import { alignUp, bindingWindows } from '../device/windows.js'
import { loadSlots } from '../shaders/pipeline-key.js'
import { weightLimit } from './limits.js'
import { gridOf, type SignalQueue } from './queue.js'
import { packConvolution, packSignal } from './records.js'
import type { TensorPool } from './tensors.js'

/** The largest number of multiplications in one dispatch. */
const COST_PER_DISPATCH = 2 ** 28

/** The weights that are measured, and their buffers. */
export interface SignalWeights {
  parameter(name: string): PlannedParameter
  segmentsOf(parameter: PlannedParameter): readonly GpuSegment[]
}

/** Products of tensors with weights of any dtype and layout. The weights are decoded piece by piece. */
export class WeightProducts {
  readonly #state: DeviceState
  readonly #weights: SignalWeights
  readonly #batch: number
  readonly #tensors: TensorPool
  readonly #queue: SignalQueue

  constructor(state: DeviceState, weights: SignalWeights, batch: number, tensors: TensorPool, queue: SignalQueue) {
    this.#state = state
    this.#weights = weights
    this.#batch = batch
    this.#tensors = tensors
    this.#queue = queue
  }

  /** scale * x W^T */
  async linear(x: GPUBuffer, step: LinearStep, scale: number): Promise<GPUBuffer> {
    const { inFeatures, outFeatures } = step
    const rows = (this.#batch * step.count) / outFeatures
    const stride = alignUp(inFeatures, 4)
    const a = await this.#padded(x, rows, inFeatures)
    const y = this.#tensors.take(rows * outFeatures)
    const most = Math.floor(weightLimit(this.#state) / 4 / stride)
    const w = this.#tensors.take(Math.min(most, outFeatures) * stride)
    for (let first = 0; first < outFeatures; first += most) {
      const columns = Math.min(most, outFeatures - first)
      await this.#gatherOutputs(step, w, [first, first + columns], { ofOutput: stride, ofInput: 1 })
      await this.#product(y, a, w, rows, {
        ...{ columns, depth: inFeatures, aOffset: 0, aStride: stride / 4, bStride: stride / 4 },
        ...{ cOffset: first, cStride: outFeatures, accumulate: 0, scale },
      })
    }
    if (a !== x) this.#tensors.release(a)
    this.#tensors.release(w)
    return y
  }

  /** scale * dy W */
  async linearBackward(dy: GPUBuffer, step: LinearStep, scale: number): Promise<GPUBuffer> {
    const { inFeatures, outFeatures } = step
    const rows = (this.#batch * step.count) / outFeatures
    const a = await this.#padded(dy, rows, outFeatures)
    const dx = this.#tensors.take(rows * inFeatures)
    // The outputs are processed in pieces of whole vec4s of dy's rows.
    const most = Math.floor(weightLimit(this.#state) / 16 / inFeatures) * 4
    const w = this.#tensors.take(inFeatures * alignUp(Math.min(most, outFeatures), 4))
    for (let first = 0; first < outFeatures; first += most) {
      const depth = Math.min(most, outFeatures - first)
      const stride = alignUp(depth, 4)
      await this.#gatherOutputs(step, w, [first, first + depth], { ofOutput: 1, ofInput: stride })
      await this.#product(dx, a, w, rows, {
        ...{ columns: inFeatures, depth, aOffset: first / 4, aStride: alignUp(outFeatures, 4) / 4 },
        ...{ bStride: stride / 4, cOffset: 0, cStride: inFeatures, accumulate: first === 0 ? 0 : 1, scale },
      })
    }
    if (a !== dy) this.#tensors.release(a)
    this.#tensors.release(w)
    return dx
  }

  async convolution(from: GPUBuffer, step: ConvStep, scale: number, backward: boolean): Promise<GPUBuffer> {
    const { weight } = step
    const count = this.#batch * (backward ? step.inputCount : step.count)
    const w = this.#tensors.take(weight.elementCount)
    const row = { rowLength: weight.elementCount, rowBegin: 0, rowEnd: 1, rowStride: 0 }
    await this.#gather(weight, w, { ...row, columnBegin: 0, columnEnd: weight.elementCount, columnStride: 1 })
    const to = this.#tensors.take(count)
    await this.#queue.add('convolution', {
      record: packConvolution(step, this.#batch, scale, backward),
      output: { buffer: to },
      a: { buffer: from },
      b: { buffer: w },
      grid: gridOf(count),
      cost: this.#batch * step.count * (weight.elementCount / step.outChannels),
    })
    this.#tensors.release(w)
    return to
  }

  /**
   * Decodes a piece of a weight to float32. The weight's memory is seen as a matrix with rows of `rowLength` elements, and the
   * piece is rows [rowBegin, rowEnd) and columns [columnBegin, columnEnd) of it.
   */
  async #gather(
    parameter: PlannedParameter,
    target: GPUBuffer,
    fields: Readonly<
      Record<'rowLength' | 'rowBegin' | 'rowEnd' | 'columnBegin' | 'columnEnd' | 'rowStride' | 'columnStride', number>
    >,
  ): Promise<void> {
    const dtype = parameter.dtype as FloatDType
    const begin = fields.rowBegin * fields.rowLength
    const end = fields.rowEnd * fields.rowLength
    for (const segment of this.#weights.segmentsOf(parameter)) {
      const { buffer, byteOffset, elementCount, firstElement } = segment
      const windows = bindingWindows(
        { bufferByteLength: buffer.size, byteOffset, elementCount, byteWidth: byteWidth(dtype) },
        this.#state.device.limits,
      )
      for (const { binding, start, count, firstWord } of windows) {
        const first = firstElement + start
        if (first >= end || first + count <= begin) continue
        const record = packSignal('gather', { ...fields, elementCount: count, firstWord, firstElement: first })
        const a = { buffer, offset: binding.offset, size: binding.byteLength }
        await this.#queue.add(
          'gather',
          { record, output: { buffer: target }, a, grid: gridOf(count), cost: 8 * count },
          loadSlots(dtype),
        )
      }
    }
  }

  /** Decodes the weights of outputs [first, end) and all inputs of a layer with these strides, for both weight layouts. */
  async #gatherOutputs(
    { weight, inOut, inFeatures, outFeatures }: LinearStep,
    target: GPUBuffer,
    [first, end]: readonly [first: number, end: number],
    { ofOutput, ofInput }: { readonly ofOutput: number; readonly ofInput: number },
  ): Promise<void> {
    const outputs = { begin: first, end, length: outFeatures, stride: ofOutput }
    const inputs = { begin: 0, end: inFeatures, length: inFeatures, stride: ofInput }
    const [rows, columns] = inOut ? [inputs, outputs] : [outputs, inputs]
    await this.#gather(weight, target, {
      rowLength: columns.length,
      rowBegin: rows.begin,
      rowEnd: rows.end,
      columnBegin: columns.begin,
      columnEnd: columns.end,
      rowStride: rows.stride,
      columnStride: columns.stride,
    })
  }

  /** Pads rows of `length` elements to whole vec4s. Returns the tensor itself if they need no padding. */
  async #padded(x: GPUBuffer, rows: number, length: number): Promise<GPUBuffer> {
    if (length % 4 === 0) return x
    const padded = this.#tensors.take(rows * alignUp(length, 4))
    const count = rows * length
    const record = packSignal('gather', {
      ...{ elementCount: count, rowLength: length, rowEnd: rows, columnEnd: length },
      ...{ rowStride: alignUp(length, 4), columnStride: 1 },
    })
    await this.#queue.add(
      'gather',
      { record, output: { buffer: padded }, a: { buffer: x }, grid: gridOf(count), cost: 8 * count },
      loadSlots('float32'),
    )
    return padded
  }

  /** Computes a product in pieces of rows, so that no dispatch is too long. */
  async #product(
    c: GPUBuffer,
    a: GPUBuffer,
    b: GPUBuffer,
    rows: number,
    fields: Readonly<
      Record<
        'columns' | 'depth' | 'aOffset' | 'aStride' | 'bStride' | 'cOffset' | 'cStride' | 'accumulate' | 'scale',
        number
      >
    >,
  ): Promise<void> {
    const { columns, depth } = fields
    const step = Math.max(32, Math.floor(COST_PER_DISPATCH / (columns * depth) / 32) * 32)
    for (let rowBegin = 0; rowBegin < rows; rowBegin += step) {
      const rowEnd = Math.min(rows, rowBegin + step)
      await this.#queue.add('product', {
        record: packSignal('product', { ...fields, rowBegin, rowEnd }),
        output: { buffer: c },
        a: { buffer: a },
        b: { buffer: b },
        grid: [Math.ceil(columns / 32), Math.ceil((rowEnd - rowBegin) / 32), 1],
        cost: (rowEnd - rowBegin) * columns * depth,
      })
    }
  }
}
