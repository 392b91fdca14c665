import { decodeFloat32 } from '../../core/decode.js'
import { byteWidth, type DType, isFloatDType } from '../../core/dtype.js'
import { OutOfMemoryError, WeightInitError } from '../../core/errors.js'
import { Accumulator } from '../../statistics/accumulate.js'
import { anchorMask } from '../../statistics/fingerprint.js'
import type { MeasuredTensor } from '../../statistics/measured-tensor.js'
import { type Measurement, mergeMeasurements, noMeasurement } from '../../statistics/measurement.js'
import { LISTED_REPEATS, noRepeats, type Repeats, sortedRepeats } from '../../statistics/repeats.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE, USAGE_UNIFORM } from '../device/constants.js'
import { type DeviceState, requireAlive, untilLost } from '../device/device-state.js'
import { copyOut, readSegments } from '../device/readback.js'
import { withErrorScope } from '../device/scopes.js'
import type { GpuSegment } from '../device/segments.js'
import { SubmitBudget } from '../device/submit-budget.js'
import { alignUp } from '../device/windows.js'
import { WorkDone } from '../device/work-done.js'
import { bindGroupLayout, pipeline } from '../shaders/pipelines.js'
import {
  dispatchesOf,
  EDGE_TABLE_BYTES,
  edgeTable,
  GROUP_ELEMENTS,
  MAX_RECORD_ELEMENTS,
  MEASURE_JOB_BYTES,
  type MeasureDispatch,
  type MeasurePiece,
  PARTIAL_BYTES,
  packMeasureJob,
  RECORD_WORDS,
  readRecord,
} from './measure-layout.js'

/** A tensor and where its elements are. */
export interface GpuMeasuredTensor {
  readonly tensor: MeasuredTensor
  readonly segments: readonly GpuSegment[]
}

/** Header of the anchors, and four words for each. */
const ANCHOR_WORDS = 4
/** Elements that the host reads and measures at a time. */
const HOST_ELEMENTS = 2 ** 20

/**
 * Measures tensors where they are: one pass over each, many in a submit, one readback for all. Keeps the anchors of what
 * it has seen, so that copies are found also between calls.
 */
export class GpuMeasurer {
  readonly #state: DeviceState
  readonly #mask: number
  readonly #capacity: number
  readonly #anchors: GPUBuffer
  readonly #temporary = new Set<GPUBuffer>()
  /** By id: which tensor, and the element at which the dispatch began. */
  readonly #places: { readonly name: string; readonly firstElement: number }[] = []

  /** @param anchoredCount elements of everything that will be measured and searched for copies; 0: no search */
  constructor(state: DeviceState, anchoredCount: number) {
    requireAlive(state)
    this.#state = state
    this.#mask = anchorMask(anchoredCount)
    // A third more than expected, and room for the spread of a few.
    this.#capacity = anchoredCount === 0 ? 0 : Math.ceil((anchoredCount / (this.#mask + 1)) * 1.33) + 256
    this.#anchors = this.#make('anchors', (this.#capacity + 1) * ANCHOR_WORDS * 4, USAGE_STORAGE)
  }

  #make(what: string, byteLength: number, usage: number): GPUBuffer {
    const buffer = this.#state.device.createBuffer({ label: `webgpu-init ${what}`, size: byteLength, usage })
    this.#temporary.add(buffer)
    return buffer
  }

  destroy(): void {
    for (const buffer of this.#temporary) buffer.destroy()
    this.#temporary.clear()
  }

  /** A measurement per run of each tensor, in order. */
  async measure(tensors: readonly GpuMeasuredTensor[], signal?: AbortSignal): Promise<Measurement[][]> {
    const results = tensors.map(({ tensor }) => tensor.runs.map((): Measurement => noMeasurement))
    const onDevice = tensors.filter(({ tensor }) => isFloatDType(tensor.parameter.dtype))
    const distrusted = new Set<string>()
    const add = (index: number, run: number, measurement: Measurement): void => {
      results[index]![run] = mergeMeasurements(results[index]![run]!, measurement)
    }
    if (onDevice.length > 0) {
      const indexOf = new Map(tensors.map(({ tensor }, index) => [tensor, index]))
      await this.#run(onDevice, signal, (piece, measurement, trusted) => {
        const index = indexOf.get(piece.tensor)!
        add(index, piece.run, measurement)
        if (!trusted) distrusted.add(`${index} ${piece.run}`)
      })
    }
    for (const [index, { tensor, segments }] of tensors.entries()) {
      for (const run of tensor.runs.keys()) {
        // Integers are few and small (counters, masks); sums that float32 could not hold are rare: the host does them.
        if (isFloatDType(tensor.parameter.dtype) && !distrusted.has(`${index} ${run}`)) continue
        results[index]![run] = await this.#measureOnHost(tensor, segments, run, signal)
      }
    }
    return results
  }

  async #measureOnHost(
    { parameter, normalisation, runs }: MeasuredTensor,
    segments: readonly GpuSegment[],
    run: number,
    signal: AbortSignal | undefined,
  ): Promise<Measurement> {
    const { firstElement, elementCount } = runs[run]!
    const accumulator = new Accumulator(normalisation, firstElement)
    const width = byteWidth(parameter.dtype)
    for (let at = 0; at < elementCount; at += HOST_ELEMENTS) {
      signal?.throwIfAborted()
      const count = Math.min(HOST_ELEMENTS, elementCount - at)
      const from = (firstElement + at) * width
      // A copy begins at a whole word.
      const start = Math.floor(from / 4) * 4
      const bytes = await readSegments(this.#state, segments, start, from + count * width - start)
      accumulator.add(decodeFloat32(bytes.subarray(from - start), parameter.dtype))
    }
    return accumulator.finish()
  }

  async #run(
    tensors: readonly GpuMeasuredTensor[],
    signal: AbortSignal | undefined,
    take: (piece: MeasurePiece, measurement: Measurement, trusted: boolean) => void,
  ): Promise<void> {
    const { device } = this.#state
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
    const pipelines = await this.#pipelines(tensors)
    const made: GPUBuffer[] = []
    const make = (what: string, byteLength: number, usage: number): GPUBuffer => {
      const buffer = this.#make(what, byteLength, usage)
      made.push(buffer)
      return buffer
    }
    const done = new WorkDone(this.#state)
    try {
      const stride = alignUp(MEASURE_JOB_BYTES, device.limits.minUniformBufferOffsetAlignment)
      const allocated = withErrorScope(device, 'out-of-memory', () => ({
        jobs: make('measure jobs', dispatches.length * stride, USAGE_UNIFORM | USAGE_COPY_DST),
        edges: make('measure edges', edges.words.byteLength, USAGE_UNIFORM | USAGE_COPY_DST),
        partials: make('measure partials', partialCount * PARTIAL_BYTES, USAGE_STORAGE),
        results: make('measure results', pieces.length * RECORD_WORDS * 4, USAGE_STORAGE | USAGE_COPY_SRC),
        runs: make('measure runs', pieces.length * 16, USAGE_STORAGE | USAGE_COPY_DST),
      }))
      const buffers = allocated.result
      const blocks = new DataView(new ArrayBuffer(dispatches.length * stride))
      dispatches.forEach((dispatch, index) => {
        const { tensor, run } = pieces[dispatch.piece]!
        packMeasureJob(blocks, index * stride, dispatch, tensor.normalisation, {
          firstPartial: firstPartials[index]!,
          result: dispatch.piece * RECORD_WORDS,
          anchorMask: this.#mask,
          anchorCapacity: tensor.anchored && !tensor.runs[run]!.padding ? this.#capacity : 0,
          id: this.#places.push({ name: tensor.parameter.name, firstElement: dispatch.firstElement }) - 1,
        })
      })
      device.queue.writeBuffer(buffers.jobs, 0, blocks.buffer)
      device.queue.writeBuffer(buffers.edges, 0, edges.words)
      device.queue.writeBuffer(buffers.runs, 0, runTable(planned, dispatches, firstPartials))
      const group = this.#bindGroups(buffers)
      const budget = new SubmitBudget(this.#state.speed, signal !== undefined)
      for (let next = 0; next < dispatches.length; ) {
        signal?.throwIfAborted()
        const begin = next
        const submitted = withErrorScope(device, 'validation', () => {
          const encoder = device.createCommandEncoder({ label: 'webgpu-init measure' })
          const pass = encoder.beginComputePass({ label: 'webgpu-init measure' })
          for (; next < dispatches.length; next++) {
            const dispatch = dispatches[next]!
            const piece = pieces[dispatch.piece]!
            const { dtype } = piece.tensor.parameter
            if (!budget.takeWhole(`measure ${dtype}`, dispatch.elementCount)) break
            pass.setPipeline(pipelines.get(dtype)!)
            pass.setBindGroup(0, group(piece.buffer, dispatch), [next * stride, edges.offsetOf(piece.tensor)])
            pass.dispatchWorkgroups(Math.ceil(dispatch.elementCount / GROUP_ELEMENTS))
          }
          if (next === dispatches.length) {
            pass.setPipeline(pipelines.get('merge')!)
            pass.setBindGroup(
              0,
              device.createBindGroup({
                label: 'webgpu-init measure merge',
                layout: bindGroupLayout(this.#state, 'measure merge'),
                entries: [buffers.partials, buffers.results, buffers.runs].map((buffer, binding) => ({
                  binding,
                  resource: { buffer },
                })),
              }),
            )
            const across = Math.min(pieces.length, 65535)
            pass.dispatchWorkgroups(across, Math.ceil(pieces.length / across))
          }
          pass.end()
          done.mark(encoder)
          device.queue.submit([encoder.finish({ label: 'webgpu-init measure' })])
        })
        const began = performance.now()
        const [noMemory, problem] = await untilLost(
          this.#state,
          Promise.all([begin === 0 ? allocated.error : null, submitted.error, done.wait()]),
        )
        budget.done(performance.now() - began)
        refuse(noMemory, problem)
      }
      await copyOut(this.#state, buffers.results, 0, pieces.length * RECORD_WORDS * 4, (bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        pieces.forEach((piece, index) => {
          const { measurement, trusted } = readRecord(
            view,
            index * RECORD_WORDS * 4,
            piece.tensor.normalisation,
            planned[index]!,
          )
          take(piece, measurement, trusted)
        })
      })
    } finally {
      done.destroy()
      for (const buffer of made) {
        buffer.destroy()
        this.#temporary.delete(buffer)
      }
    }
  }

  async #pipelines(tensors: readonly GpuMeasuredTensor[]): Promise<Map<string, GPUComputePipeline>> {
    const dtypes = [...new Set(tensors.map(({ tensor }): DType => tensor.parameter.dtype))]
    const named = dtypes.map(async (dtype) => {
      const slots = { load: `load/${dtype}` }
      return [dtype, await pipeline(this.#state, { entry: 'statistics/measure', slots, layout: 'measure' })] as const
    })
    const merge = pipeline(this.#state, { entry: 'statistics/merge', layout: 'measure merge' })
    return new Map<string, GPUComputePipeline>([...(await Promise.all(named)), ['merge', await merge]])
  }

  /** One bind group per buffer and window: a model's parameters often share theirs. */
  #bindGroups(buffers: Readonly<Record<'jobs' | 'edges' | 'partials' | 'results', GPUBuffer>>) {
    const known = new Map<GPUBuffer, Map<number, GPUBindGroup>>()
    return (buffer: GPUBuffer, { binding }: MeasureDispatch): GPUBindGroup => {
      const ofBuffer = known.get(buffer) ?? new Map<number, GPUBindGroup>()
      known.set(buffer, ofBuffer)
      let group = ofBuffer.get(binding.offset)
      if (group === undefined) {
        group = this.#state.device.createBindGroup({
          label: 'webgpu-init measure',
          layout: bindGroupLayout(this.#state, 'measure'),
          entries: [
            { binding: 0, resource: { buffer, offset: binding.offset, size: binding.byteLength } },
            { binding: 1, resource: { buffer: buffers.jobs, size: MEASURE_JOB_BYTES } },
            { binding: 2, resource: { buffer: buffers.edges, size: EDGE_TABLE_BYTES } },
            { binding: 3, resource: { buffer: buffers.partials } },
            { binding: 4, resource: { buffer: buffers.results } },
            { binding: 5, resource: { buffer: this.#anchors } },
          ],
        })
        ofBuffer.set(binding.offset, group)
      }
      return group
    }
  }

  /** The copies among everything measured so far. */
  async repeats(): Promise<Repeats> {
    if (this.#capacity === 0) return noRepeats
    const { device } = this.#state
    const search = await pipeline(this.#state, { entry: 'statistics/repeats', layout: 'measure repeats' })
    const resultWords = 4 + 4 * LISTED_REPEATS
    const made: GPUBuffer[] = []
    try {
      const allocated = withErrorScope(device, 'out-of-memory', () => {
        const slots = 2 ** Math.ceil(Math.log2(2 * this.#capacity))
        made.push(this.#make('repeat slots', slots * 4, USAGE_STORAGE))
        made.push(this.#make('repeats', resultWords * 4, USAGE_STORAGE | USAGE_COPY_SRC))
      })
      const submitted = withErrorScope(device, 'validation', () => {
        const encoder = device.createCommandEncoder({ label: 'webgpu-init repeats' })
        const pass = encoder.beginComputePass({ label: 'webgpu-init repeats' })
        pass.setPipeline(search)
        pass.setBindGroup(
          0,
          device.createBindGroup({
            label: 'webgpu-init repeats',
            layout: bindGroupLayout(this.#state, 'measure repeats'),
            entries: [this.#anchors, ...made].map((buffer, binding) => ({ binding, resource: { buffer } })),
          }),
        )
        const groups = Math.ceil(this.#capacity / 64)
        pass.dispatchWorkgroups(Math.min(groups, 65535), Math.ceil(groups / 65535))
        pass.end()
        device.queue.submit([encoder.finish({ label: 'webgpu-init repeats' })])
      })
      refuse(...(await untilLost(this.#state, Promise.all([allocated.error, submitted.error]))))
      let found = noRepeats
      await copyOut(this.#state, made[1]!, 0, resultWords * 4, (bytes) => {
        const words = new Uint32Array(bytes.slice().buffer)
        const place = (at: number): { name: string; element: number } => {
          const { name, firstElement } = this.#places[words[at]!]!
          return { name, element: firstElement + words[at + 1]! }
        }
        const listed = Math.min(words[0]!, LISTED_REPEATS)
        const examples = Array.from({ length: listed }, (_, k) => {
          const first = place(6 + 4 * k)
          return { ...place(4 + 4 * k), firstName: first.name, firstElement: first.element }
        })
        // Anchors that found no room: so many there are only among values that are not random at all.
        const anchorCount = words[1]!
        const count = words[0]! + Math.max(0, anchorCount - this.#capacity)
        found = { anchorCount, count, examples: sortedRepeats(examples) }
      })
      return found
    } finally {
      for (const buffer of made) {
        buffer.destroy()
        this.#temporary.delete(buffer)
      }
    }
  }
}

function refuse(noMemory: GPUError | null, problem: GPUError | null): void {
  if (noMemory !== null) {
    throw new OutOfMemoryError(`The device has no memory for the statistics: ${noMemory.message}`, { cause: noMemory })
  }
  if (problem !== null) {
    throw new WeightInitError('DEVICE_ERROR', `The statistics cannot be computed: ${problem.message}`, {
      cause: problem,
    })
  }
}

/** The runs of a tensor, cut where its buffers end and where a record's counters would. */
function piecesOf({ tensor, segments }: GpuMeasuredTensor): MeasurePiece[] {
  const width = byteWidth(tensor.parameter.dtype)
  return tensor.runs.flatMap((run, index) =>
    segments.flatMap((segment) => {
      const pieces: MeasurePiece[] = []
      const end = Math.min(run.firstElement + run.elementCount, segment.firstElement + segment.elementCount)
      let first = Math.max(run.firstElement, segment.firstElement)
      while (first < end) {
        const elementCount = Math.min(MAX_RECORD_ELEMENTS, end - first)
        const byteOffset = segment.byteOffset + (first - segment.firstElement) * width
        pieces.push({ tensor, run: index, buffer: segment.buffer, byteOffset, firstElement: first, elementCount })
        first += elementCount
      }
      return pieces
    }),
  )
}

/** The edges of all distributions, one table after another, each distribution's once. */
class EdgeTables {
  readonly words: Int32Array<ArrayBuffer>
  readonly #offsets = new Map<Float32Array, number>()

  constructor(tensors: readonly GpuMeasuredTensor[]) {
    for (const { tensor } of tensors) {
      const { edges } = tensor.normalisation
      if (!this.#offsets.has(edges)) this.#offsets.set(edges, this.#offsets.size * EDGE_TABLE_BYTES)
    }
    this.words = new Int32Array((this.#offsets.size * EDGE_TABLE_BYTES) / 4)
    for (const [edges, offset] of this.#offsets) this.words.set(edgeTable(edges), offset / 4)
  }

  /** In bytes. */
  offsetOf({ normalisation }: MeasuredTensor): number {
    return this.#offsets.get(normalisation.edges)!
  }
}

/** Per piece: first partial, how many, first word of its record, and the 0 that the shader's rounding needs. */
function runTable(
  planned: readonly { readonly dispatches: readonly MeasureDispatch[] }[],
  dispatches: readonly MeasureDispatch[],
  firstPartials: readonly number[],
): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(planned.length * 4)
  let next = 0
  planned.forEach(({ dispatches: own }, index) => {
    const first = firstPartials[next]!
    next += own.length
    const last = dispatches[next - 1]!
    const count = firstPartials[next - 1]! + Math.ceil(last.elementCount / GROUP_ELEMENTS) - first
    table.set([first, count, index * RECORD_WORDS, 0], index * 4)
  })
  return table
}
