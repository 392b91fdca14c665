import { Comparison } from '../core/comparison.js'
import { byteWidth, type FloatDType, floatFormats } from '../core/dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { fillInto } from '../cpu/fill.js'
import { fillJob } from '../fill/make-job.js'
import type { DistributionOf } from '../ir/distribution.js'
import type { PlannedParameter } from '../ir/plan.js'
import type { RangeReader, WeightStore } from '../store/weight-store.js'

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

export interface ParameterVerification {
  readonly name: string
  readonly elementCount: number
  /** Elements that were compared. */
  readonly comparedCount: number
  /** Elements that differ from the CPU's in at least one bit. */
  readonly mismatchCount: number
  /** Row-major index of the first of them. */
  readonly firstMismatch?: number
  /**
   * Largest distance of one of them, in units in the last place: how many numbers of the dtype lie between the two, counted
   * over 0 (0 and -0 are one apart), infinities and NaN. Of integers the difference.
   */
  readonly largestUlpDistance?: number
  /**
   * Of an orthogonal distribution, which is not compared with the CPU bit by bit: max |Q^T Q / gain^2 - I|. Where it is more than the
   * dtype's rounding allows, every element counts as a mismatch. Of a part, a tensor in several buffers and a
   * delta-orthogonal on the GPU the matrices are made again on the same device: this is theirs, in float32, and the part is compared with them bit by bit.
   */
  readonly orthogonalityError?: number
}

export interface VerificationReport {
  /** True when no compared element differs. */
  readonly ok: boolean
  readonly elementCount: number
  readonly comparedCount: number
  readonly mismatchCount: number
  /** False when only a sample was compared. */
  readonly complete: boolean
  readonly parameters: readonly ParameterVerification[]
}

const COMPLETE_UP_TO = 2 ** 26
/** Elements made and compared at a time. */
const CHUNK_ELEMENTS = 2 ** 18

/**
 * Compares what is in the buffers now with what the CPU computes, bit by bit. Host memory stays at a few chunks
 * whatever the model; a parameter that was trained, or written over, shows up here.
 */
export async function verifyStore(
  store: WeightStore,
  parameters: readonly PlannedParameter[],
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  refuseUnknownKeys(options, ['elements', 'signal', 'onProgress'], 'verify option')
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
      results.push(
        isOrthogonal(parameter)
          ? await verifyOrthogonal(store, parameter, options, total)
          : await verifyParameter(reader, parameter, chunk, share, options, total),
      )
    }
  } finally {
    reader.destroy()
  }
  return verificationReport(results)
}

/** The parameters' results with their sums. */
export function verificationReport(parameters: readonly ParameterVerification[]): VerificationReport {
  const sum = (pick: (p: ParameterVerification) => number): number => parameters.reduce((n, p) => n + pick(p), 0)
  const mismatchCount = sum((p) => p.mismatchCount)
  const comparedCount = sum((p) => p.comparedCount)
  const elementCount = sum((p) => p.elementCount)
  return {
    ok: mismatchCount === 0,
    elementCount,
    comparedCount,
    mismatchCount,
    complete: comparedCount === elementCount,
    parameters,
  }
}

const isOrthogonal = ({ distribution }: PlannedParameter): boolean => distribution.kind === 'orthogonal'

/**
 * What rounding leaves of orthogonality: of the float32 arithmetic up to 2048, then with the length of the sums; and of storing
 * in the dtype. There an element x of a unit vector moves by at most |x| u, or by half the smallest subnormal number over the
 * gain, so the vector of n elements by at most e = u + s sqrt(n), and an inner product of two by at most 2 e + e^2 (Cauchy and
 * Schwarz).
 */
export function allowedError({ distribution }: PlannedParameter, dtype: FloatDType): number {
  const { rows, columns, gain } = distribution as DistributionOf<'orthogonal'>
  const { fractionBits, smallestNormal } = floatFormats[dtype]
  const length = Math.max(rows, columns)
  const u = 2 ** -(fractionBits + 1)
  const e = u + ((u * smallestNormal) / Math.abs(gain)) * Math.sqrt(length)
  return 2e-6 * Math.max(1, length / 2048) + 2 * e + e * e
}

async function verifyOrthogonal(
  store: WeightStore,
  parameter: PlannedParameter,
  { signal, onProgress }: VerifyOptions,
  total: Tally,
): Promise<ParameterVerification> {
  const { name, elementCount } = parameter
  signal?.throwIfAborted()
  const { orthogonalityError, dtype, ...mismatches } = await store.checkOrthogonal(parameter, signal)
  const ok = orthogonalityError <= allowedError(parameter, dtype)
  total.elementsDone += elementCount
  onProgress?.({ parameter: name, elementsDone: total.elementsDone, elementsTotal: total.elementsTotal })
  return {
    name,
    elementCount,
    ...mismatches,
    comparedCount: elementCount,
    ...(ok ? {} : { mismatchCount: elementCount }),
    orthogonalityError: orthogonalityError,
  }
}

const chunkBytesOf = ({ elementCount, dtype }: PlannedParameter): number =>
  Math.min(CHUNK_ELEMENTS, elementCount) * byteWidth(dtype)

/** @param chunk room for the elements that the CPU makes */
async function verifyParameter(
  reader: RangeReader,
  parameter: PlannedParameter,
  chunk: Uint8Array,
  share: number,
  { signal, onProgress }: VerifyOptions,
  total: Tally,
): Promise<ParameterVerification> {
  const { name, elementCount, dtype } = parameter
  const width = byteWidth(dtype)
  const job = fillJob(parameter)
  const comparison = new Comparison(dtype)
  const ranges = sampledRanges(elementCount, share, total)
  const begin = () => {
    signal?.throwIfAborted()
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
    total.elementsDone += count
    onProgress?.({ parameter: name, elementsDone: total.elementsDone, elementsTotal: total.elementsTotal })
    range = next
  }
  return { name, elementCount, ...comparison.result() }
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
