// Signal propagation on the GPU: the arithmetic of src/signal/run.ts, on weights of any dtype in GPU memory.
import { decodeFloat32 } from '../../core/decode.js'
import { signalDraw } from '../../signal/draw.js'
import type { ActivationCall, DeadUnitCall, GroupCall, SignalKernels, TensorSums } from '../../signal/kernels.js'
import type { ConvStep, LinearStep } from '../../signal/steps.js'
import { type DeviceState, requireAlive } from '../device/device-state.js'
import { copyOut, readSegments } from '../device/readback.js'
import { runFills } from '../fill/run-fills.js'
import { type SignalWeights, WeightProducts } from './products.js'
import { gridOf, MAX_GROUPS, SignalQueue } from './queue.js'
import { activationFields, groupFields, packSignal, type SignalStruct } from './records.js'
import { RECORD_BYTES, readSums } from './sums.js'
import { TensorPool } from './tensors.js'

/** The number of elements that one workgroup of signal/measure sums. */
const MEASURED_PER_GROUP = 16384

export class GpuSignalKernels implements SignalKernels<GPUBuffer> {
  readonly #state: DeviceState
  readonly #weights: SignalWeights
  readonly #seed: number | bigint
  readonly #signal: AbortSignal | undefined
  readonly #tensors: TensorPool
  readonly #queue: SignalQueue
  readonly #products: WeightProducts
  /** Buffers that the host filled. They can be released when the work that reads them was submitted. */
  #uploaded: GPUBuffer[] = []

  constructor(
    state: DeviceState,
    weights: SignalWeights,
    {
      batch,
      seed,
      signal,
    }: { readonly batch: number; readonly seed: number | bigint; readonly signal?: AbortSignal | undefined },
  ) {
    requireAlive(state)
    this.#state = state
    this.#weights = weights
    this.#seed = seed
    this.#signal = signal
    this.#tensors = new TensorPool(state, batch)
    this.#queue = new SignalQueue(state, signal)
    this.#products = new WeightProducts(state, weights, batch, this.#tensors, this.#queue)
  }

  release(tensor: GPUBuffer): void {
    this.#tensors.release(tensor)
  }

  destroy(): void {
    this.#tensors.destroy()
  }

  async random(name: string, count: number): Promise<GPUBuffer> {
    const buffer = this.#tensors.take(count)
    await this.#tensors.requireMemory()
    const job = signalDraw(name, count, this.#seed)
    await runFills(this.#state, [{ job, buffer, byteOffset: 0 }], { signal: this.#signal })
    return buffer
  }

  async vector(name: string): Promise<Float64Array> {
    const parameter = this.#weights.parameter(name)
    const segments = this.#weights.segmentsOf(parameter)
    const bytes = await readSegments(this.#state, segments, 0, parameter.byteLength)
    return Float64Array.from(decodeFloat32(bytes, parameter.dtype))
  }

  linear(x: GPUBuffer, step: LinearStep, scale: number): Promise<GPUBuffer> {
    return this.#products.linear(x, step, scale)
  }

  linearBackward(dy: GPUBuffer, step: LinearStep, scale: number): Promise<GPUBuffer> {
    return this.#products.linearBackward(dy, step, scale)
  }

  conv(x: GPUBuffer, step: ConvStep, scale: number): Promise<GPUBuffer> {
    return this.#products.convolution(x, step, scale, false)
  }

  convBackward(dy: GPUBuffer, step: ConvStep, scale: number): Promise<GPUBuffer> {
    return this.#products.convolution(dy, step, scale, true)
  }

  /** Computes each element of the output from one element of each input. */
  async #each(
    entry: string,
    struct: SignalStruct,
    fields: Record<string, number>,
    count: number,
    a: GPUBuffer,
    b: GPUBuffer = a,
  ): Promise<GPUBuffer> {
    const output = this.#tensors.take(count)
    await this.#queue.add(entry, {
      record: packSignal(struct, { elementCount: count, ...fields }),
      output: { buffer: output },
      a: { buffer: a },
      b: { buffer: b },
      grid: gridOf(count),
      cost: 8 * count,
    })
    return output
  }

  affine(
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
    const units = this.#tensors.make(values.length)
    this.#state.device.queue.writeBuffer(units, 0, values)
    this.#uploaded.push(units)
    return this.#each('affine', 'affine', { unitCount, unitStride }, count, x, units)
  }

  activate(x: GPUBuffer, count: number, call: ActivationCall): Promise<GPUBuffer> {
    return this.#each('activate', 'activations', activationFields(call, 'forward'), count, x)
  }

  activateBackward(
    x: GPUBuffer,
    dy: GPUBuffer,
    count: number,
    call: ActivationCall,
    gradientScale: number,
  ): Promise<GPUBuffer> {
    const fields = { ...activationFields(call, 'backward'), gradientScale }
    return this.#each('activate', 'activations', fields, count, x, dy)
  }

  add(a: GPUBuffer, scaleA: number, b: GPUBuffer, scaleB: number, count: number): Promise<GPUBuffer> {
    return this.#each('add', 'add', { scaleA, scaleB }, count, a, b)
  }

  async #groups(
    entry: 'normalize' | 'softmax',
    x: GPUBuffer,
    dy: GPUBuffer | undefined,
    count: number,
    call: GroupCall,
    gradientScale = 1,
  ): Promise<GPUBuffer> {
    const to = this.#tensors.take(count)
    await this.#queue.add(entry, {
      record: packSignal('groups', groupFields(call, dy !== undefined, gradientScale)),
      output: { buffer: to },
      a: { buffer: x },
      b: { buffer: dy ?? x },
      grid: [Math.min(MAX_GROUPS, call.groupCount), 1, 1],
      cost: 16 * count,
    })
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

  async measure(
    x: GPUBuffer,
    count: number,
    { unitCount, unitStride, slopeOf }: DeadUnitCall,
    slopeInput: GPUBuffer | undefined,
  ): Promise<TensorSums> {
    const perGroup = Math.max(MEASURED_PER_GROUP, Math.ceil(count / MAX_GROUPS))
    const groups = Math.ceil(count / perGroup)
    const firstUnit = (groups * RECORD_BYTES) / 4
    const records = this.#tensors.take(firstUnit + unitCount)
    const output = { buffer: records }
    await this.#queue.add('measure', {
      record: packSignal('measure', { elementCount: count, elementsPerGroup: perGroup }),
      output,
      a: { buffer: x },
      grid: [groups, 1, 1],
      cost: 8 * count,
    })
    await this.#queue.add('dead_units', {
      record: packSignal('activations', {
        ...(slopeOf === undefined ? {} : activationFields(slopeOf, 'slope')),
        ...{ elementCount: count, unitCount, unitStride, firstRecord: firstUnit },
      }),
      output,
      a: { buffer: slopeInput ?? x },
      grid: gridOf(unitCount),
      cost: 8 * count,
    })
    await this.#tensors.requireMemory()
    await this.#queue.flush()
    for (const buffer of this.#uploaded.splice(0)) this.release(buffer)
    let sums: TensorSums | undefined
    await copyOut(this.#state, records, 0, groups * RECORD_BYTES + 4 * unitCount, (bytes) => {
      sums = readSums(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), groups, count, unitCount)
    })
    this.release(records)
    return sums!
  }
}
