import { Comparison } from '../core/comparison.js'
import { byteWidth } from '../core/dtype.js'
import { checkSignal, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { fillInto } from '../cpu/fill.js'
import { fillJob } from '../fill/make-job.js'
import type { PlannedParameter } from '../ir/plan.js'
import type { RangeReader, WeightStore } from '../store/weight-store.js'
import {
  comparedBitByBit,
  type ParameterVerification,
  type VerificationReport,
  verificationReport,
} from './verification.js'
import { verifyOrthogonal } from './verify-orthogonal.js'

export interface VerifyOptions {
  /**
   * How many elements to compare: 'all', or at most this many over the whole model, in evenly spread blocks.
   * Default: all up to 2^26 elements, a sample of 2^26 above. The report says what was compared.
   */
  readonly elements?: 'all' | number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: {
    readonly parameter: string
    readonly elementsDone: number
    readonly elementsTotal: number
  }) => void
}

const COMPLETE_UP_TO = 2 ** 26
/** Elements made and compared at a time. */
const CHUNK_ELEMENTS = 2 ** 18

/**
 * Compares what is in the buffers now with what the CPU computes, bit by bit; orthogonal matrices within a bound. Host memory
 * stays at a few chunks and one matrix; a parameter that was trained, or written over, shows up here.
 */
export async function verifyStore(
  store: WeightStore,
  parameters: readonly PlannedParameter[],
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  refuseUnknownKeys(options, ['elements', 'signal', 'onProgress'], 'verify option')
  checkSignal(options.signal, 'verify')
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `verify: onProgress must be a function, but found ${show(options.onProgress)}.`,
    )
  }
  const elementCount = parameters.reduce((sum, p) => sum + p.elementCount, 0)
  const wanted = options.elements ?? COMPLETE_UP_TO
  if (wanted !== 'all' && (typeof wanted !== 'number' || !(wanted >= 1))) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `verify: elements must be 'all' or a number >= 1, but found ${show(wanted)}.`,
    )
  }
  const share = wanted === 'all' ? 1 : Math.min(1, wanted / elementCount)
  // Orthogonal matrices are looked at as a whole, always.
  const matrices = parameters.reduce((sum, p) => sum + (isOrthogonal(p) ? p.elementCount : 0), 0)
  const elementsTotal = Math.floor((elementCount - matrices) * share) + matrices
  const total: Tally = { seen: 0, chosen: 0, elementsDone: 0, elementsTotal }
  const chunkBytes = parameters.reduce((most, p) => (isOrthogonal(p) ? most : Math.max(most, chunkBytesOf(p))), 0)
  const reader = store.reader(chunkBytes)
  const chunk = new Uint8Array(chunkBytes)
  const results: ParameterVerification[] = []
  try {
    for (const parameter of parameters) {
      if (isOrthogonal(parameter)) {
        results.push(await verifyOrthogonal(store, parameter, options.signal))
        report(total, parameter.elementCount, parameter.name, options)
      } else results.push(await verifyParameter(reader, parameter, chunk, share, options, total))
    }
  } finally {
    reader.destroy()
  }
  return verificationReport(results)
}

const isOrthogonal = ({ distribution }: PlannedParameter): boolean => distribution.kind === 'orthogonal'

function report(total: Tally, count: number, parameter: string, { onProgress }: VerifyOptions): void {
  total.elementsDone += count
  onProgress?.({ parameter, elementsDone: total.elementsDone, elementsTotal: total.elementsTotal })
}

const chunkBytesOf = ({ elementCount, dtype }: PlannedParameter): number =>
  Math.min(CHUNK_ELEMENTS, elementCount) * byteWidth(dtype)

/** @param chunk room for the elements that the CPU makes */
async function verifyParameter(
  reader: RangeReader,
  parameter: PlannedParameter,
  chunk: Uint8Array,
  share: number,
  options: VerifyOptions,
  total: Tally,
): Promise<ParameterVerification> {
  const { name, elementCount, dtype } = parameter
  const width = byteWidth(dtype)
  const job = fillJob(parameter)
  const comparison = new Comparison(dtype)
  const ranges = sampledRanges(elementCount, share, total)
  const begin = () => {
    options.signal?.throwIfAborted()
    const { value } = ranges.next()
    if (value === undefined) return undefined
    const [first, count] = value
    return { first, count, look: reader.begin(parameter, first * width, count * width) }
  }
  // The device copies the next chunk while the host makes and compares this one.
  for (let range = begin(); range !== undefined; ) {
    const { first, count, look } = range
    const next = begin()
    const expected = chunk.subarray(0, count * width)
    fillInto(job, first, expected)
    await look((actual) => comparison.add(actual, expected, first))
    report(total, count, name, options)
    range = next
  }
  return comparedBitByBit(parameter, comparison)
}

/** How far the comparison is: elements passed by and elements chosen to be compared; those compared and whole matrices. */
interface Tally {
  seen: number
  chosen: number
  elementsDone: number
  readonly elementsTotal: number
}

/**
 * Everything in chunks; or `share` of what was passed by so far, never more, its place alternating between the two ends of
 * the chunks.
 */
function* sampledRanges(
  elementCount: number,
  share: number,
  total: Tally,
): Generator<readonly [first: number, count: number], undefined> {
  let index = 0
  for (let first = 0; first < elementCount; first += CHUNK_ELEMENTS, index++) {
    const length = Math.min(CHUNK_ELEMENTS, elementCount - first)
    total.seen += length
    const count = share === 1 ? length : Math.min(length, Math.floor(total.seen * share) - total.chosen)
    if (count < 1) continue
    // A range starts at a multiple of eight elements: whole 32-bit words in every dtype.
    const atEnd = index % 2 === 1 ? Math.ceil((length - count) / 8) * 8 : 0
    if (atEnd >= length) continue
    const chosen = Math.min(count, length - atEnd)
    total.chosen += chosen
    yield [first + atEnd, chosen]
  }
}
