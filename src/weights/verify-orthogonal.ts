// Orthogonal matrices are the one distribution that a device makes with other bits than the CPU: they are compared within a bound.

import { Comparison } from '../core/comparison.js'
import { viewFloat32 } from '../core/decode.js'
import { byteWidth, type DType, type FloatDType } from '../core/dtype.js'
import { fillInto } from '../cpu/fill.js'
import { cancellationOf, type OrthogonalSource } from '../cpu/orthogonal.js'
import { matrixOffset } from '../distributions/orthogonal.js'
import { fillJob } from '../fill/make-job.js'
import type { DistributionOf } from '../ir/distribution.js'
import type { FillJob } from '../ir/job.js'
import type { PlannedParameter } from '../ir/plan.js'
import { partRuns } from '../plan/parts/geometry.js'
import { roundingErrors } from '../statistics/expected/representable.js'
import type { WeightStore } from '../store/weight-store.js'
import type { BoundedComparison, ParameterVerification } from './verification.js'

/**
 * How far a device's matrix may be from the CPU's, over the gain. Between five devices the largest difference was 1.3e-6; it grows with
 * how close to singular the normals are, by at most 1.2e-7 for each time that a vector's length exceeds what the ones before leave of it.
 */
export const ORTHOGONAL_BOUND = 2e-5
/** Up to this length over what is left of it the bound holds as it is, with room for five times the differences that were seen. */
const USUAL_CANCELLATION = 32

/**
 * The CPU factorises matrices of up to so many multiplications and additions, length x count^2: 1024 x 1024. Larger ones
 * would take it minutes, and are compared with a second run of the device.
 */
export const LARGEST_CPU_FACTORISATION: number = 2 ** 30

/** What the stored matrices are compared with: the CPU's, or those of a second run of the device. */
type Reference = 'cpu' | 'device'

/** Elements compared at a time. */
const CHUNK_ELEMENTS = 2 ** 18

const distributionOf = ({ distribution }: PlannedParameter): DistributionOf<'orthogonal'> =>
  distribution as DistributionOf<'orthogonal'>

/**
 * What rounding leaves of orthogonality: that of float32 sums, up to 2048 and then with their length; and that of the dtype. A
 * vector whose elements are rounded moves by at most e = relative + sqrt(length) absolute / |gain|, so that each product of two moves
 * by at most 2 e + e^2.
 */
export function allowedError(parameter: PlannedParameter, dtype: DType): number {
  const { rows, columns, gain } = distributionOf(parameter)
  const length = Math.max(rows, columns)
  const sums = 2e-6 * Math.max(1, length / 2048)
  if (gain === 0) return sums
  const { relative, absolute } = roundingErrors(dtype as FloatDType)
  const moved = (dtype === 'float32' ? 0 : relative) + (Math.sqrt(length) * absolute) / Math.abs(gain)
  return sums + 2 * moved + moved * moved
}

/** Whether the CPU makes the matrices that a parameter is compared with. */
function comparesWithCpu(store: WeightStore, parameter: PlannedParameter, largest: number): boolean {
  const { rows, columns } = distributionOf(parameter)
  return store.backend === 'cpu' || rows * columns * Math.min(rows, columns) <= largest
}

/**
 * Compares every element with the CPU's matrices or, of very large ones, with those that the device makes again.
 * @param largest matrix that the CPU factorises
 */
export async function verifyOrthogonal(
  store: WeightStore,
  parameter: PlannedParameter,
  signal: AbortSignal | undefined,
  largest: number = LARGEST_CPU_FACTORISATION,
): Promise<ParameterVerification> {
  signal?.throwIfAborted()
  const { name, elementCount, dtype, part } = parameter
  const reference = comparesWithCpu(store, parameter, largest) ? 'cpu' : 'device'
  const job = fillJob(parameter)
  const comparison = new OrthogonalComparison(job, reference)
  let orthogonalityError: number | undefined
  let allowed = 0
  if (reference === 'cpu') {
    await compareWithCpu(store, parameter, job, comparison, signal)
    if (part === undefined) {
      orthogonalityError = await store.orthogonalityError(parameter, signal)
      allowed = allowedError(parameter, dtype)
    }
  } else {
    orthogonalityError = await store.makeOrthogonalAgain(
      parameter,
      (stored, made, first) => comparison.add(stored, made, first),
      signal,
    )
    allowed = allowedError(parameter, 'float32')
  }
  const { exact, withinBound } = comparison.result()
  return {
    name,
    elementCount,
    ...exact,
    withinBound,
    ok:
      exact.mismatchCount === 0 &&
      withinBound.beyondCount === 0 &&
      (orthogonalityError === undefined || orthogonalityError <= allowed),
    ...(orthogonalityError === undefined ? {} : { orthogonalityError }),
  }
}

async function compareWithCpu(
  store: WeightStore,
  parameter: PlannedParameter,
  job: FillJob,
  comparison: OrthogonalComparison,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { elementCount, dtype } = parameter
  const width = byteWidth(dtype)
  const bytes = new Uint8Array(Math.min(CHUNK_ELEMENTS, elementCount) * width)
  const reader = store.reader(bytes.byteLength)
  try {
    for (let first = 0; first < elementCount; first += CHUNK_ELEMENTS) {
      signal?.throwIfAborted()
      const count = Math.min(CHUNK_ELEMENTS, elementCount - first)
      const look = reader.begin(parameter, first * width, count * width)
      const expected = bytes.subarray(0, count * width)
      fillInto(job, first, expected)
      await look((actual) => comparison.add(actual, expected, first))
    }
  } finally {
    reader.destroy()
  }
}

/** Counts the elements of matrices that are further from a reference than the bound, and zeros by construction that are none. */
class OrthogonalComparison {
  readonly #job: FillJob
  readonly #source: OrthogonalSource
  readonly #reference: Reference
  readonly #exact: Comparison
  readonly #relative: number
  readonly #absolute: number
  #exactCount = 0
  #count = 0
  #bound = 0
  #largestDifference = 0
  #beyondCount = 0
  #firstBeyond: number | undefined

  constructor(job: FillJob, reference: Reference) {
    const dtype = job.dtype as FloatDType
    this.#job = job
    this.#source = job.source as OrthogonalSource
    this.#reference = reference
    this.#exact = new Comparison(dtype)
    const { relative, absolute } = roundingErrors(dtype)
    // Both are rounded, which moves each by half a step.
    this.#relative = 2 * relative
    this.#absolute = 2 * absolute
  }

  /** @param first index of the first element of both within the job */
  add(actual: Uint8Array, expected: Uint8Array, first: number): void {
    const { part, firstElement, dtype } = this.#job
    const found = viewFloat32(actual, dtype)
    const wanted = viewFloat32(expected, dtype)
    const begin = firstElement + first
    const runs = part === undefined ? [{ first: begin, count: wanted.length }] : partRuns(part, begin, wanted.length)
    let done = 0
    for (const run of runs) {
      for (let i = 0; i < run.count; i++, done++) {
        const index = first + done
        if (this.#isZero(run.first + i)) this.#addExact(actual, expected, done, index)
        else this.#addBounded(found[done]!, wanted[done]!, index, run.first + i)
      }
    }
  }

  /** Whether an element is 0 whatever the matrix: off the centre of a convolution's kernel. */
  #isZero(element: number): boolean {
    const { distribution } = this.#source
    if (distribution.field === 1) return false
    const from = element - matrixOffset(distribution)
    const { stride, rows, columns } = distribution
    return from < 0 || from % stride !== 0 || from / stride >= rows * columns
  }

  #addExact(actual: Uint8Array, expected: Uint8Array, at: number, index: number): void {
    const width = byteWidth(this.#job.dtype)
    this.#exactCount++
    for (let byte = at * width; byte < (at + 1) * width; byte++) {
      if (actual[byte] === expected[byte]) continue
      const one = (bytes: Uint8Array): Uint8Array => bytes.slice(at * width, (at + 1) * width)
      this.#exact.add(one(actual), one(expected), index)
      return
    }
  }

  #addBounded(found: number, wanted: number, index: number, element: number): void {
    const bound = this.#boundOf(wanted, element)
    const difference = Math.abs(found - wanted)
    this.#count++
    if (bound > this.#bound) this.#bound = bound
    // NaN is beyond any bound, and further off than any number.
    if (!(difference <= this.#largestDifference)) this.#largestDifference = difference
    if (difference <= bound) return
    this.#beyondCount++
    this.#firstBeyond ??= index
  }

  #boundOf(wanted: number, element: number): number {
    const { rows, columns, gain, field } = this.#source.distribution
    const matrix = field === 1 ? Math.floor(element / (rows * columns)) : 0
    // The device's own second run has the same normals, whose cancellations are not known here: it gives the same bits.
    const cancellation = this.#reference === 'cpu' ? cancellationOf(this.#source, matrix) : 1
    const matrices = ORTHOGONAL_BOUND * Math.abs(gain) * Math.max(1, cancellation / USUAL_CANCELLATION)
    return matrices + Math.max(this.#relative * Math.abs(wanted), this.#absolute)
  }

  result() {
    const { comparedCount: _, ...mismatches } = this.#exact.result()
    return {
      exact: { comparedCount: this.#exactCount, ...mismatches },
      withinBound: {
        count: this.#count,
        bound: this.#bound,
        largestDifference: this.#largestDifference,
        beyondCount: this.#beyondCount,
        secondRunCount: this.#reference === 'device' ? this.#count : 0,
        ...(this.#firstBeyond === undefined ? {} : { firstBeyond: this.#firstBeyond }),
      } satisfies BoundedComparison,
    }
  }
}
