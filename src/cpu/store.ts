import { decodeFloat32 } from '../decode.js'
import { OutOfMemoryError, show, WeightInitError } from '../errors.js'
import { fillJob } from '../jobs.js'
import type { LawOf } from '../laws/types.js'
import type { ResolvedOptions, TargetRegion } from '../options.js'
import type { InitializationPlan, PlannedParameter } from '../plan.js'
import { refuseOverlap } from '../regions.js'
import type { Measurement } from '../statistics/measurement.js'
import type { Repeats } from '../statistics/repeats.js'
import type { Specimen } from '../statistics/specimen.js'
import type { MeasureOptions, WeightStore } from '../store.js'
import { fillBytes } from './fill.js'
import { CpuMeasurer } from './measure.js'
import { elementsDefect } from './orthogonal.js'

/** Elements made between two looks at the abort signal and the event loop. */
const CHUNK_ELEMENTS = 2 ** 18

interface CpuRegion {
  readonly buffer: ArrayBuffer
  readonly byteOffset: number
}

/** Weights in host memory: the same bytes as on the GPU. */
export class CpuStore implements WeightStore {
  readonly backend = 'cpu'
  #regions: ReadonlyMap<string, CpuRegion>

  constructor(regions: ReadonlyMap<string, CpuRegion>) {
    this.#regions = regions
  }

  /** Where parameters lie in memory of the caller's, checked; `what` is what messages call it. */
  static regionsOf(
    parameters: readonly PlannedParameter[],
    given: ReadonlyMap<string, TargetRegion>,
    what: string,
  ): Map<string, { readonly buffer: ArrayBuffer; readonly byteOffset: number }> {
    return new Map(parameters.map((p) => [p.name, placeInto(p, given.get(p.name), what)]))
  }

  region(name: string): CpuRegion {
    return this.#regions.get(name)!
  }

  async readRange(parameter: PlannedParameter, start: number, length: number): Promise<Uint8Array> {
    const { buffer, byteOffset } = this.region(parameter.name)
    return new Uint8Array(buffer, byteOffset + start, length).slice()
  }

  async measure(
    specimens: readonly Specimen[],
    options: MeasureOptions,
  ): Promise<{ measurements: Measurement[][]; repeats: Repeats }> {
    const measurer = new CpuMeasurer(specimens, options)
    for (const specimen of specimens) {
      const { buffer, byteOffset } = this.region(specimen.parameter.name)
      await measurer.measure(specimen, (start, length) => new Uint8Array(buffer, byteOffset + start, length))
    }
    return measurer.result()
  }

  async orthogonalityDefect(parameter: PlannedParameter): Promise<number> {
    const bytes = await this.readRange(parameter, 0, parameter.byteLength)
    return elementsDefect(parameter.distribution as LawOf<'orthogonal'>, decodeFloat32(bytes, parameter.dtype))
  }

  destroy(): void {
    this.#regions = new Map()
  }
}

/** Runs a plan on the CPU, in chunks that let the event loop turn. */
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
  const regions = new Map(
    active.map((parameter) => {
      const given = into.has(parameter.name)
      return [parameter.name, given ? placeInto(parameter, into.get(parameter.name)) : allocateOnHost(parameter)]
    }),
  )
  refuseOverlap(
    active.map(({ name, byteLength }) => {
      const { buffer, byteOffset } = regions.get(name)!
      return { name, buffer, begin: byteOffset, end: byteOffset + byteLength }
    }),
  )
  let bytesDone = 0
  let sinceTurn = 0
  for (const parameter of active) {
    const { buffer, byteOffset } = regions.get(parameter.name)!
    const target = new Uint8Array(buffer, byteOffset, parameter.byteLength)
    const width = parameter.byteLength / parameter.elementCount
    const job = fillJob(parameter)
    for (let first = 0; first < parameter.elementCount; first += CHUNK_ELEMENTS) {
      const count = Math.min(CHUNK_ELEMENTS, parameter.elementCount - first)
      target.set(fillBytes(job, first, count), first * width)
      bytesDone += count * width
      sinceTurn += count
      if (sinceTurn >= CHUNK_ELEMENTS) {
        sinceTurn = 0
        await new Promise((resolve) => setTimeout(resolve))
        signal?.throwIfAborted()
        onProgress?.({ parameter: parameter.name, bytesDone, bytesTotal: plan.totals.byteLength })
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

function placeInto(
  { name, byteLength }: PlannedParameter,
  region: TargetRegion | null | undefined,
  what = 'into',
): CpuRegion {
  const fail = (message: string): never => {
    throw new WeightInitError('INVALID_BUFFER', `${what}[${show(name)}]: ${message}`)
  }
  const { buffer, byteOffset = 0 } = region ?? {}
  const whole = ArrayBuffer.isView(buffer) ? buffer.buffer : buffer
  if (!(whole instanceof ArrayBuffer)) {
    return fail(
      `on the CPU backend buffer must be an ArrayBuffer or a view of one, but found ${show(region === null ? null : buffer)}.`,
    )
  }
  // A detached ArrayBuffer has no bytes; so does its view.
  const begin = ArrayBuffer.isView(buffer) ? buffer.byteOffset : 0
  const available = ArrayBuffer.isView(buffer) ? buffer.byteLength : whole.byteLength
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset % 4 !== 0) {
    fail(`byteOffset must be a non-negative multiple of 4, but found ${show(byteOffset)}.`)
  }
  if (byteOffset + byteLength > available) {
    fail(
      `the buffer is too small: ${byteLength} bytes at offset ${byteOffset} need ${byteOffset + byteLength}, but it has ${available}.`,
    )
  }
  return { buffer: whole, byteOffset: begin + byteOffset }
}
