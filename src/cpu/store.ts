import { decodeFloat32 } from '../core/decode.js'
import { byteWidth } from '../core/dtype.js'
import { OutOfMemoryError, show, WeightInitError } from '../core/errors.js'
import { eventLoopTurn } from '../core/event-loop.js'
import { fillJob } from '../fill/make-job.js'
import {
  type Region,
  type RegionPiece,
  type RegionRules,
  type RegionSpan,
  refuseOverlap,
  regionPieces,
  regionSpans,
  segmentsOf,
  segmentsOfPieces,
} from '../fill/regions.js'
import type { DistributionOf } from '../ir/distribution.js'
import type { FillSource } from '../ir/job.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import type { ResolvedOptions, TargetRegion } from '../plan/options.js'
import type { MeasuredTensor } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import type { Repeats } from '../statistics/repeats.js'
import type { LookAtBoth, MeasureOptions, RangeReader, WeightStore } from '../store/weight-store.js'
import { fillBytes, fillInto } from './fill.js'
import { CpuMeasurer } from './measure.js'
import { elementsError, matricesError } from './orthogonal.js'

/** How many elements are made before the event loop may run and the abort signal is checked. */
const CHUNK_ELEMENTS = 2 ** 18

type CpuRegion = Region<ArrayBuffer>

/** Weights in host memory, with the same bytes as on the GPU. */
export class CpuStore implements WeightStore {
  readonly backend = 'cpu'
  #regions: ReadonlyMap<string, CpuRegion>

  constructor(regions: ReadonlyMap<string, CpuRegion>) {
    this.#regions = regions
  }

  /** Checks the caller's memory and returns where the parameters lie in it. `what` is its name in messages. */
  static regionsOf(
    parameters: readonly PlannedParameter[],
    given: ReadonlyMap<string, TargetRegion>,
    what: string,
  ): Map<string, { readonly buffer: ArrayBuffer; readonly byteOffset: number }> {
    return new Map(parameters.map((p) => [p.name, regionOf(p, given.get(p.name), [], what)]))
  }

  region(name: string): CpuRegion {
    return this.#regions.get(name)!
  }

  async readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array> {
    return this.#bytes(parameter, start, length).slice()
  }

  /** Host memory needs no transfer, so a range is available at once. */
  reader(): RangeReader {
    return {
      begin: (parameter, start, length) => async (look) => look(this.#bytes(parameter, start, length)),
      destroy() {},
    }
  }

  /** A view of the bytes if they are contiguous, otherwise a copy. */
  #bytes(parameter: PlannedParameter, start: number, length: number): Uint8Array {
    const region = this.region(parameter.name)
    if (region.segments === undefined) return new Uint8Array(region.buffer, region.byteOffset + start, length)
    const out = new Uint8Array(length)
    let before = 0
    for (const { buffer, byteOffset, byteLength } of region.segments) {
      const from = Math.max(start, before)
      const to = Math.min(start + length, before + byteLength)
      if (to > from) out.set(new Uint8Array(buffer, byteOffset + from - before, to - from), from - start)
      before += byteLength
    }
    return out
  }

  async measure(
    tensors: readonly MeasuredTensor[],
    options: MeasureOptions,
  ): Promise<{ measurements: Measurement[][]; repeats: Repeats }> {
    const measurer = new CpuMeasurer(tensors, options)
    for (const tensor of tensors) {
      await measurer.measure(tensor, (start, length) => this.#bytes(tensor.parameter, start, length))
    }
    return measurer.result()
  }

  async orthogonalityError(parameter: PlannedParameter, signal?: AbortSignal): Promise<number> {
    const { distribution, dtype, byteLength } = parameter
    const elements = decodeFloat32(this.#bytes(parameter, 0, byteLength).slice(), dtype)
    return elementsError(distribution as DistributionOf<'orthogonal'>, elements, signal)
  }

  async makeOrthogonalAgain(parameter: PlannedParameter, look: LookAtBoth, signal?: AbortSignal): Promise<number> {
    const job = fillJob(parameter)
    const width = byteWidth(parameter.dtype)
    for (let first = 0; first < parameter.elementCount; first += CHUNK_ELEMENTS) {
      signal?.throwIfAborted()
      const count = Math.min(CHUNK_ELEMENTS, parameter.elementCount - first)
      look(this.#bytes(parameter, first * width, count * width), fillBytes(job, first, count), first)
    }
    const source = job.source as FillSource & { kind: 'orthogonal' }
    const { firstMatrix, matrixCount } = parameter.whole ?? { firstMatrix: 0, matrixCount: source.distribution.batch }
    return matricesError(source, firstMatrix, firstMatrix + matrixCount)
  }

  destroy(): void {
    this.#regions = new Map()
  }
}

/** Runs a plan on the CPU in chunks, between which the event loop may run. */
export async function executeOnCpu(plan: InitializationPlan, options: ResolvedOptions): Promise<CpuStore> {
  const { signal, onProgress, into } = options
  signal?.throwIfAborted()
  const active = plan.parameters.filter(({ action }) => action === 'initialize')
  const names = new Set(active.map(({ name }) => name))
  for (const name of into.keys()) {
    if (!names.has(name)) {
      throw new WeightInitError(
        'INVALID_BUFFER',
        `into[${show(name)}]: the model initialises no parameter of that name.`,
      )
    }
  }
  const regions = new Map<string, CpuRegion>()
  const spans: RegionSpan[] = []
  for (const parameter of active) {
    if (!into.has(parameter.name)) continue
    regions.set(parameter.name, regionOf(parameter, into.get(parameter.name), spans))
  }
  refuseOverlap(spans)
  for (const parameter of active) if (!into.has(parameter.name)) regions.set(parameter.name, allocateOnHost(parameter))
  let bytesDone = 0
  let sinceTurn = 0
  for (const parameter of active) {
    const width = byteWidth(parameter.dtype)
    const job = fillJob(parameter)
    for (const { buffer, byteOffset, byteLength, firstElement, elementCount } of segmentsOf(
      regions.get(parameter.name)!,
      parameter,
    )) {
      const target = new Uint8Array(buffer, byteOffset, byteLength)
      for (let first = 0; first < elementCount; first += CHUNK_ELEMENTS) {
        const count = Math.min(CHUNK_ELEMENTS, elementCount - first)
        fillInto(job, firstElement + first, target.subarray(first * width, (first + count) * width))
        bytesDone += count * width
        sinceTurn += count
        if (sinceTurn >= CHUNK_ELEMENTS) {
          sinceTurn = 0
          await eventLoopTurn()
          signal?.throwIfAborted()
          onProgress?.({ parameter: parameter.name, bytesDone, bytesTotal: plan.totals.byteLength })
        }
      }
    }
  }
  if (sinceTurn > 0)
    onProgress?.({ parameter: active.at(-1)?.name ?? '', bytesDone, bytesTotal: plan.totals.byteLength })
  return new CpuStore(regions)
}

function allocateOnHost({ name, byteLength }: PlannedParameter): CpuRegion {
  try {
    return { buffer: new ArrayBuffer(byteLength), byteOffset: 0 }
  } catch (cause) {
    throw new OutOfMemoryError(
      `Parameter ${show(name)} needs ${byteLength} bytes of host memory, which could not be allocated.`,
      { cause },
    )
  }
}

interface HostMemory {
  readonly buffer: ArrayBuffer
  /** The byte at which the caller's view of the buffer begins. */
  readonly begin: number
}

const memoryRules: RegionRules<HostMemory> = {
  unit: 1,
  buffer(value, fail) {
    const whole = ArrayBuffer.isView(value) ? value.buffer : value
    if (!(whole instanceof ArrayBuffer)) {
      return fail(`on the CPU backend buffer must be an ArrayBuffer or a view of one, but found ${show(value)}.`)
    }
    // A detached ArrayBuffer, or a view of one, has the byte length 0 and is refused as too small.
    return ArrayBuffer.isView(value)
      ? { buffer: { buffer: whole, begin: value.byteOffset }, byteLength: value.byteLength }
      : { buffer: { buffer: whole, begin: 0 }, byteLength: whole.byteLength }
  },
}

/** Converts an offset in the caller's view into an offset in the ArrayBuffer itself. */
function inOwnBuffer({ buffer: { buffer, begin }, ...piece }: RegionPiece<HostMemory>): RegionPiece<ArrayBuffer> {
  return { ...piece, buffer, byteOffset: begin + piece.byteOffset }
}

/** The caller's memory for a parameter. The bytes that it occupies are added to `spans`. */
function regionOf(parameter: PlannedParameter, region: unknown, spans: RegionSpan[], what?: string): CpuRegion {
  const pieces = regionPieces(parameter, region, memoryRules, what).map(inOwnBuffer)
  spans.push(...regionSpans(pieces, memoryRules.unit))
  const { buffer, byteOffset } = pieces[0]!
  return { buffer, byteOffset, ...(pieces.length === 1 ? {} : { segments: segmentsOfPieces(pieces) }) }
}
