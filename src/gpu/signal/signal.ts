// Signal propagation on the GPU: the arithmetic of src/signal/run.ts, with weights of any dtype where they are.
import { decodeFloat32 } from '../../core/decode.js'
import { byteWidth, type FloatDType } from '../../core/dtype.js'
import { OutOfMemoryError, show, WeightInitError } from '../../core/errors.js'
import { fillJob } from '../../fill/make-job.js'
import { normal } from '../../initializers/families/normal.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { planModel } from '../../plan/plan.js'
import type { ActivationCall, DeadUnitCall, GroupCall, SignalKernels, TensorSums } from '../../signal/kernels.js'
import type { ConvStep, LinearStep, Step } from '../../signal/steps.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import { type DeviceState, requireAlive, untilLost } from '../device/device-state.js'
import { copyOut } from '../device/readback.js'
import { withErrorScope } from '../device/scopes.js'
import { segmentsOf } from '../device/segments.js'
import { alignUp, bindingWindows } from '../device/windows.js'
import { runJobs } from '../fill/execute.js'
import type { GpuStore } from '../gpu-store.js'
import { type Dispatch, runDispatches } from '../orthogonal/linalg.js'
import type { PipelineKey } from '../shaders/pipeline-key.js'
import { pipeline } from '../shaders/pipelines.js'
import { activationFields, groupFields, packConvolution, packSignal, type SignalStruct } from './signal-jobs.js'
import { signalModules } from './signal-modules.js'

const LABEL = 'webgpu-init signal'
const MAX_GROUPS = 65535
/** Elements that one workgroup of signal/measure sums. */
const MEASURED_PER_GROUP = 16384
const RECORD_BYTES = 16
/** Decoded weights lie in a buffer of at most this many bytes; a larger weight comes in pieces. */
const WEIGHT_BYTES = 64 * 2 ** 20
/** Multiplications of one dispatch. */
const COST_PER_DISPATCH = 2 ** 28

const weightLimit = ({ device: { limits } }: DeviceState): number =>
  Math.min(WEIGHT_BYTES, limits.maxStorageBufferBindingSize, limits.maxBufferSize)

/**
 * Refuses what no buffer or binding of the device can hold, before any GPU work.
 * @throws WeightInitError `LIMIT_EXCEEDED` naming the layer, its bytes, the limit and the remedy
 */
export function checkSignalLimits(state: DeviceState, steps: readonly Step[], batch: number): void {
  const { maxStorageBufferBindingSize, maxBufferSize } = state.device.limits
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize)
  for (const step of steps) {
    const bytes = 4 * batch * Math.max(step.count, step.inputCount)
    if (bytes > limit) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `propagateSignal: layer ${show(step.name)} (${step.kind}) makes ${bytes} bytes for a batch of ${batch}; a binding of this ` +
          `device holds ${limit}. Take a batch of at most ${Math.floor((limit / bytes) * batch)}, or a smaller inputShape.`,
      )
    }
    const row =
      step.op === 'linear'
        ? 16 * Math.max(alignUp(step.inFeatures, 4), alignUp(step.outFeatures, 4))
        : step.op === 'conv'
          ? 4 * step.weight.elementCount
          : 0
    if (row > weightLimit(state) || (row > 0 && (step as LinearStep).weight.elementCount >= 2 ** 32)) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `propagateSignal: the weight of layer ${show(step.name)} (${step.kind}, ${show((step as LinearStep).weight.shape)}) is too large: ` +
          `${row} bytes of it must fit into ${weightLimit(state)}, and its elements into 32 bits. Measure this layer on device: 'cpu'.`,
      )
    }
    if (step.op === 'residual') checkSignalLimits(state, [...step.body, ...step.shortcut], batch)
  }
}

export class GpuSignalKernels implements SignalKernels<GPUBuffer> {
  readonly #state: DeviceState
  readonly #store: GpuStore
  readonly #held: (name: string) => PlannedParameter
  readonly #batch: number
  readonly #seed: number | bigint
  readonly #signal: AbortSignal | undefined
  readonly #made = new Set<GPUBuffer>()
  /** Released buffers by their bytes: the next tensor of that length takes one. The queue keeps the order. */
  readonly #free = new Map<number, GPUBuffer[]>()
  /** Asked for since the last measurement. */
  #pending: Dispatch[] = []
  /** Filled by the host; free when what reads them was submitted. */
  #uploaded: GPUBuffer[] = []
  #allocations: Promise<{ error: GPUError | null; byteLength: number }>[] = []

  constructor(
    state: DeviceState,
    store: GpuStore,
    held: (name: string) => PlannedParameter,
    options: { readonly batch: number; readonly seed: number | bigint; readonly signal?: AbortSignal },
  ) {
    requireAlive(state)
    this.#state = state
    this.#store = store
    this.#held = held
    this.#batch = options.batch
    this.#seed = options.seed
    this.#signal = options.signal
  }

  #tensor(count: number): GPUBuffer {
    const byteLength = alignUp(4 * count, 16)
    const free = this.#free.get(byteLength)?.pop()
    return free ?? this.#newTensor(byteLength)
  }

  #newTensor(byteLength: number): GPUBuffer {
    const { device } = this.#state
    const made = withErrorScope(device, 'out-of-memory', () =>
      device.createBuffer({
        label: `${LABEL} tensor`,
        size: byteLength,
        usage: USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST,
      }),
    )
    this.#made.add(made.result)
    this.#allocations.push(made.error.then((error) => ({ error, byteLength })))
    return made.result
  }

  release(tensor: GPUBuffer): void {
    const free = this.#free.get(tensor.size) ?? []
    this.#free.set(tensor.size, free)
    free.push(tensor)
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy()
    this.#made.clear()
    this.#free.clear()
  }

  /** Waits for the memory that was asked for. */
  async #allocated(): Promise<void> {
    const asked = this.#allocations
    this.#allocations = []
    for (const { error, byteLength } of await untilLost(this.#state, Promise.all(asked))) {
      if (error === null) continue
      throw new OutOfMemoryError(
        `The device could not allocate ${byteLength} bytes for the signal of a batch of ${this.#batch}: ${error.message} ` +
          'Take a smaller batch, or free other buffers.',
        { cause: error },
      )
    }
  }

  async #dispatch(
    entry: string,
    record: ArrayBuffer,
    output: GPUBuffer,
    a: GPUBuffer,
    b: GPUBuffer,
    grid: readonly [number, number, number],
    cost: number,
  ): Promise<void> {
    const key: PipelineKey = { entry: `signal/${entry}`, modules: signalModules, layout: 'linalg' }
    const compiled = await pipeline(this.#state, key)
    this.#pending.push({
      pipeline: compiled,
      layout: 'linalg',
      record,
      output: { buffer: output },
      a: { buffer: a },
      b: { buffer: b },
      grid,
      cost,
    })
  }

  /** One invocation an element, at most; the shaders stride. */
  #each(
    entry: string,
    struct: SignalStruct,
    fields: Record<string, number>,
    count: number,
    output: GPUBuffer,
    a: GPUBuffer,
    b: GPUBuffer = a,
  ): Promise<void> {
    const record = packSignal(struct, { elementCount: count, ...fields })
    return this.#dispatch(entry, record, output, a, b, [Math.min(MAX_GROUPS, Math.ceil(count / 64)), 1, 1], 8 * count)
  }

  async random(name: string, count: number): Promise<GPUBuffer> {
    const plan = planModel({ parameters: [{ name, shape: [count], role: 'weight' }] }, normal, { seed: this.#seed })
    const buffer = this.#tensor(count)
    await this.#allocated()
    const options = this.#signal === undefined ? {} : { signal: this.#signal }
    await runJobs(this.#state, [{ job: fillJob(plan.parameters[0]!), buffer, byteOffset: 0 }], options)
    return buffer
  }

  async vector(name: string): Promise<Float64Array> {
    const parameter = this.#held(name)
    const bytes = await this.#store.readRange(parameter, 0, parameter.byteLength)
    return Float64Array.from(decodeFloat32(bytes, parameter.dtype))
  }

  /**
   * A piece of a weight as float32: rows [rowBegin, rowEnd) and columns [columnBegin, columnEnd) of the matrix with rows of
   * `rowLength` elements that its memory is.
   */
  async #gather(
    parameter: PlannedParameter,
    target: GPUBuffer,
    fields: Readonly<
      Record<'rowLength' | 'rowBegin' | 'rowEnd' | 'columnBegin' | 'columnEnd' | 'rowStride' | 'columnStride', number>
    >,
  ): Promise<void> {
    const dtype = parameter.dtype as FloatDType
    const compiled = await pipeline(this.#state, {
      entry: 'signal/gather',
      modules: signalModules,
      slots: { load: `load/${dtype}` },
      layout: 'linalg',
    })
    const begin = fields.rowBegin * fields.rowLength
    const end = fields.rowEnd * fields.rowLength
    for (const segment of segmentsOf(this.#store.region(parameter.name), parameter)) {
      const { buffer, byteOffset, elementCount, firstElement } = segment
      const windows = bindingWindows(
        { bufferByteLength: buffer.size, byteOffset, elementCount, byteWidth: byteWidth(dtype) },
        this.#state.device.limits,
      )
      for (const { binding, start, count, firstWord } of windows) {
        const first = firstElement + start
        if (first >= end || first + count <= begin) continue
        const view = { buffer, offset: binding.offset, size: binding.byteLength }
        this.#pending.push({
          pipeline: compiled,
          layout: 'linalg',
          record: packSignal('gather', { ...fields, elementCount: count, firstWord, firstElement: first }),
          output: { buffer: target },
          a: view,
          grid: [Math.min(MAX_GROUPS, Math.ceil(count / 64)), 1, 1],
          cost: 8 * count,
        })
      }
    }
  }

  /** Rows of `length` elements, each filled up to whole vec4s; the tensor itself where they are whole. */
  async #padded(x: GPUBuffer, rows: number, length: number): Promise<GPUBuffer> {
    if (length % 4 === 0) return x
    const padded = this.#tensor(rows * alignUp(length, 4))
    const compiled = await pipeline(this.#state, {
      entry: 'signal/gather',
      modules: signalModules,
      slots: { load: 'load/float32' },
      layout: 'linalg',
    })
    const count = rows * length
    this.#pending.push({
      pipeline: compiled,
      layout: 'linalg',
      record: packSignal('gather', {
        elementCount: count,
        rowLength: length,
        rowEnd: rows,
        columnEnd: length,
        rowStride: alignUp(length, 4),
        columnStride: 1,
      }),
      output: { buffer: padded },
      a: { buffer: x },
      grid: [Math.min(MAX_GROUPS, Math.ceil(count / 64)), 1, 1],
      cost: 8 * count,
    })
    return padded
  }

  /** Rows of a product in pieces that are not too long for one dispatch. */
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
      const grid = [Math.ceil(columns / 32), Math.ceil((rowEnd - rowBegin) / 32), 1] as const
      const record = packSignal('product', { ...fields, rowBegin, rowEnd })
      await this.#dispatch('product', record, c, a, b, grid, (rowEnd - rowBegin) * columns * depth)
    }
  }

  /** The weights of outputs [first, end) and all inputs of a layer, at these strides, whichever way round its memory is. */
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

  async linear(x: GPUBuffer, step: LinearStep, scale: number): Promise<GPUBuffer> {
    const { inFeatures, outFeatures } = step
    const rows = (this.#batch * step.count) / outFeatures
    const stride = alignUp(inFeatures, 4)
    const a = await this.#padded(x, rows, inFeatures)
    const y = this.#tensor(rows * outFeatures)
    const most = Math.floor(weightLimit(this.#state) / 4 / stride)
    const w = this.#tensor(Math.min(most, outFeatures) * stride)
    for (let first = 0; first < outFeatures; first += most) {
      const columns = Math.min(most, outFeatures - first)
      await this.#gatherOutputs(step, w, [first, first + columns], { ofOutput: stride, ofInput: 1 })
      await this.#product(y, a, w, rows, {
        ...{ columns, depth: inFeatures, aOffset: 0, aStride: stride / 4, bStride: stride / 4 },
        ...{ cOffset: first, cStride: outFeatures, accumulate: 0, scale },
      })
    }
    if (a !== x) this.release(a)
    this.release(w)
    return y
  }

  async linearBackward(dy: GPUBuffer, step: LinearStep, scale: number): Promise<GPUBuffer> {
    const { inFeatures, outFeatures } = step
    const rows = (this.#batch * step.count) / outFeatures
    const a = await this.#padded(dy, rows, outFeatures)
    const dx = this.#tensor(rows * inFeatures)
    // Pieces of outputs, whole vec4s of dy's rows.
    const most = Math.floor(weightLimit(this.#state) / 16 / inFeatures) * 4
    const w = this.#tensor(inFeatures * alignUp(Math.min(most, outFeatures), 4))
    for (let first = 0; first < outFeatures; first += most) {
      const depth = Math.min(most, outFeatures - first)
      const stride = alignUp(depth, 4)
      await this.#gatherOutputs(step, w, [first, first + depth], { ofOutput: 1, ofInput: stride })
      await this.#product(dx, a, w, rows, {
        ...{
          columns: inFeatures,
          depth,
          aOffset: first / 4,
          aStride: alignUp(outFeatures, 4) / 4,
          bStride: stride / 4,
        },
        ...{ cOffset: 0, cStride: inFeatures, accumulate: first === 0 ? 0 : 1, scale },
      })
    }
    if (a !== dy) this.release(a)
    this.release(w)
    return dx
  }

  conv(x: GPUBuffer, step: ConvStep, scale: number): Promise<GPUBuffer> {
    return this.#convolution(x, step, scale, false)
  }

  convBackward(dy: GPUBuffer, step: ConvStep, scale: number): Promise<GPUBuffer> {
    return this.#convolution(dy, step, scale, true)
  }

  async #convolution(from: GPUBuffer, step: ConvStep, scale: number, backward: boolean): Promise<GPUBuffer> {
    const { weight } = step
    const count = this.#batch * (backward ? step.inputCount : step.count)
    const w = this.#tensor(weight.elementCount)
    const all = {
      rowLength: weight.elementCount,
      rowBegin: 0,
      rowEnd: 1,
      columnBegin: 0,
      columnEnd: weight.elementCount,
    }
    await this.#gather(weight, w, { ...all, rowStride: 0, columnStride: 1 })
    const to = this.#tensor(count)
    const grid = [Math.min(MAX_GROUPS, Math.ceil(count / 64)), 1, 1] as const
    const cost = this.#batch * step.count * (weight.elementCount / step.outChannels)
    await this.#dispatch('convolution', packConvolution(step, this.#batch, scale, backward), to, from, w, grid, cost)
    this.release(w)
    return to
  }

  async affine(
    x: GPUBuffer,
    count: number,
    { unitCount, unitStride }: { readonly unitCount: number; readonly unitStride: number },
    scale: ArrayLike<number> | undefined,
    shift: ArrayLike<number> | undefined,
  ): Promise<GPUBuffer> {
    const values = new Float32Array(2 * unitCount)
    values.fill(1, 0, unitCount)
    if (scale !== undefined) values.set(scale)
    if (shift !== undefined) values.set(shift, unitCount)
    // A new one: what is pending may still read a released one.
    const units = this.#newTensor(alignUp(values.byteLength, 16))
    this.#state.device.queue.writeBuffer(units, 0, values)
    this.#uploaded.push(units)
    const y = this.#tensor(count)
    await this.#each('affine', 'affine', { unitCount, unitStride }, count, y, x, units)
    return y
  }

  async activate(x: GPUBuffer, count: number, call: ActivationCall): Promise<GPUBuffer> {
    const y = this.#tensor(count)
    await this.#each('activate', 'activations', activationFields(call, 'forward'), count, y, x)
    return y
  }

  async activateBackward(
    x: GPUBuffer,
    dy: GPUBuffer,
    count: number,
    call: ActivationCall,
    gradientScale: number,
  ): Promise<GPUBuffer> {
    const dx = this.#tensor(count)
    const fields = { ...activationFields(call, 'backward'), gradientScale }
    await this.#each('activate', 'activations', fields, count, dx, x, dy)
    return dx
  }

  async #groups(
    entry: 'normalize' | 'softmax',
    x: GPUBuffer,
    dy: GPUBuffer | undefined,
    count: number,
    call: GroupCall,
    gradientScale = 1,
  ): Promise<GPUBuffer> {
    const to = this.#tensor(count)
    const record = packSignal('groups', groupFields(call, dy !== undefined, gradientScale))
    const grid = [Math.min(MAX_GROUPS, call.groupCount), 1, 1] as const
    await this.#dispatch(entry, record, to, x, dy ?? x, grid, 16 * count)
    return to
  }

  normalize(x: GPUBuffer, count: number, call: GroupCall): Promise<GPUBuffer> {
    return this.#groups('normalize', x, undefined, count, call)
  }

  normalizeBackward(x: GPUBuffer, dy: GPUBuffer, count: number, call: GroupCall, scale: number): Promise<GPUBuffer> {
    return this.#groups('normalize', x, dy, count, call, scale)
  }

  softmax(x: GPUBuffer, count: number, call: GroupCall): Promise<GPUBuffer> {
    return this.#groups('softmax', x, undefined, count, call)
  }

  softmaxBackward(x: GPUBuffer, dy: GPUBuffer, count: number, call: GroupCall, scale: number): Promise<GPUBuffer> {
    return this.#groups('softmax', x, dy, count, call, scale)
  }

  async add(a: GPUBuffer, scaleA: number, b: GPUBuffer, scaleB: number, count: number): Promise<GPUBuffer> {
    const c = this.#tensor(count)
    await this.#each('add', 'add', { scaleA, scaleB }, count, c, a, b)
    return c
  }

  async measure(
    x: GPUBuffer,
    count: number,
    { unitCount, unitStride, slopeOf }: DeadUnitCall,
    slopeInput: GPUBuffer | undefined,
  ): Promise<TensorSums> {
    const perGroup = Math.max(MEASURED_PER_GROUP, Math.ceil(count / MAX_GROUPS))
    const groups = Math.ceil(count / perGroup)
    const records = this.#tensor((groups * RECORD_BYTES) / 4 + unitCount)
    const fields = packSignal('measure', { elementCount: count, elementsPerGroup: perGroup })
    await this.#dispatch('measure', fields, records, x, x, [groups, 1, 1], 8 * count)
    const units = packSignal('activations', {
      ...(slopeOf === undefined ? {} : activationFields(slopeOf, 'slope')),
      ...{ elementCount: count, unitCount, unitStride, firstRecord: (groups * RECORD_BYTES) / 4 },
    })
    const source = slopeInput ?? x
    const grid = [Math.min(MAX_GROUPS, Math.ceil(unitCount / 64)), 1, 1] as const
    await this.#dispatch('dead_units', units, records, source, source, grid, 8 * count)
    await this.#flush()
    let sums: TensorSums | undefined
    await copyOut(this.#state, records, 0, groups * RECORD_BYTES + 4 * unitCount, (bytes) => {
      sums = readSums(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), groups, count, unitCount)
    })
    this.release(records)
    return sums!
  }

  async #flush(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    await this.#allocated()
    await runDispatches(this.#state, LABEL, pending, this.#signal)
    for (const buffer of this.#uploaded.splice(0)) this.release(buffer)
  }
}

/** Merges the `Record`s of shaders/signal/measure.wgsl and counts the dead units behind them. */
function readSums(view: DataView, groups: number, count: number, unitCount: number): TensorSums {
  let finiteCount = 0
  let sum = 0
  let squares = 0
  for (let group = 0; group < groups; group++) {
    const at = group * RECORD_BYTES
    const scale = 2 ** view.getInt32(at + 4, true)
    finiteCount += view.getUint32(at, true)
    sum += view.getFloat32(at + 8, true) * scale
    squares += view.getFloat32(at + 12, true) * scale * scale
  }
  let deadUnitCount = 0
  for (let unit = 0; unit < unitCount; unit++) deadUnitCount += view.getUint32(groups * RECORD_BYTES + 4 * unit, true)
  return {
    finiteCount,
    nonFiniteCount: count - finiteCount,
    mean: finiteCount === 0 ? 0 : sum / finiteCount,
    meanSquare: finiteCount === 0 ? 0 : squares / finiteCount,
    deadUnitCount,
  }
}
