import { type FloatDType, isFloatDType } from '../core/dtype.js'
import { clipRange } from '../fill/clip.js'
import { fillJob } from '../fill/make-job.js'
import type { Distribution } from '../ir/distribution.js'
import type { PlannedParameter } from '../ir/plan.js'
import { normalSf } from '../random/normal-cdf.js'
import { type Agreement, agreementChance } from './agreement.js'
import { GRAIN, isCoarse, type RoundedDistribution, roundedDistribution } from './expected/rounded-distribution.js'
import type { Measurement, Normalisation } from './measurement.js'

/** A run of neighbours of one distribution. */
export interface Run {
  /** Index within the tensor. */
  readonly firstElement: number
  readonly elementCount: number
  /** Zeros by construction: an embedding's padding row. */
  readonly padding: boolean
}

/** A tensor to be measured: what it should hold, and in which runs. */
export interface MeasuredTensor {
  readonly parameter: PlannedParameter
  /** Only of a distribution with a density. */
  readonly rounded?: RoundedDistribution
  readonly normalisation: Normalisation
  readonly runs: readonly Run[]
  /** Whether it is searched for copies: whether elements that are elsewhere, too, would be a fault. */
  readonly anchored: boolean
  /** Only of those that are searched. */
  readonly agreement?: Agreement
}

/** A tensor with what was measured of it. */
export interface TensorMeasurement {
  readonly tensor: MeasuredTensor
  /** One per run of the tensor. */
  readonly measurements: readonly Measurement[]
}

/** Measured tensors of parameters; a distribution that many share is worked out once. */
export function measuredTensorsOf(parameters: readonly PlannedParameter[]): MeasuredTensor[] {
  const distributions = new Map<string, RoundedDistribution | undefined>()
  const rounded = (distribution: Distribution, dtype: FloatDType, grain: number): RoundedDistribution | undefined => {
    // Bounds may be infinite, which JSON has no word for.
    const key = `${dtype} ${grain} ${Object.values(distribution).join(' ')}`
    if (!distributions.has(key)) distributions.set(key, roundedDistribution(distribution, dtype, grain))
    return distributions.get(key)
  }
  const tensors = parameters.map((parameter) => {
    const { distribution, dtype, elementCount } = parameter
    if (!isFloatDType(dtype)) return { parameter }
    const own = rounded(distribution, dtype, grainOf(parameter))
    if (own !== undefined) {
      return { parameter, rounded: own, agreement: agreementOf(own, elementCount) }
    }
    const entries = entriesOf(distribution)
    if (entries === undefined) return { parameter }
    return { parameter, agreement: agreementOf(rounded(entries, dtype, GRAIN)!, elementCount) }
  })
  const searched = searchedForCopies(tensors)
  return tensors.map((one, index) => tensor(one, searched.has(index)))
}

/** About how the entries of a large orthogonal matrix are distributed. */
function entriesOf(distribution: Distribution): Distribution | undefined {
  if (distribution.kind !== 'orthogonal' || distribution.field > 1 || distribution.gain === 0) return undefined
  const length = Math.max(distribution.rows, distribution.columns)
  return length < 16 ? undefined : { kind: 'normal', mean: 0, std: Math.abs(distribution.gain) / Math.sqrt(length) }
}

/** Of how many elements, and how easily 16 of them in a row agree with 16 others; undefined where copies are no fault. */
function agreementOf(distribution: RoundedDistribution, elementCount: number): Agreement | undefined {
  const { continuous, collision, largestAtom } = distribution
  if (continuous.zeroInflated || isCoarse(distribution, elementCount)) return undefined
  // An orthogonal matrix's entries are only about normal, and a variant's numbers about as likely: twice is a bound.
  return { elementCount, collision: Math.min(1, 2 * collision), largestAtom: Math.min(1, 2 * largestAtom) }
}

/**
 * Tensors that are searched for copies: as many as can be without that valid weights agree by chance. Values of a dtype or of a
 * distribution with few numbers are the first to be left out.
 */
function searchedForCopies(tensors: readonly { readonly agreement?: Agreement | undefined }[]): Set<number> {
  const candidates = tensors
    .flatMap(({ agreement }, index) => (agreement === undefined ? [] : [{ agreement, index }]))
    .sort((a, b) => agreementChance([a.agreement]) - agreementChance([b.agreement]))
  const chosen: typeof candidates = []
  // Each adds to the square root of the chance.
  let root = 0
  for (const candidate of candidates) {
    root += Math.sqrt(agreementChance([candidate.agreement]))
    if (root * root > CHANCE_OF_COPIES) break
    chosen.push(candidate)
  }
  return new Set(chosen.map(({ index }) => index))
}

/** Chance of agreement by accident up to which tensors are searched: far below any false-alarm rate that is asked for. */
const CHANCE_OF_COPIES = 2 ** -40

/**
 * How fine the parameter's generator is. PyTorch and JAX invert the distribution function of a truncated normal at a float32
 * number: what lies in the interval shares the grain of the whole.
 */
function grainOf({ distribution, generatorSource }: PlannedParameter): number {
  if (distribution.kind !== 'truncated-normal' || generatorSource === undefined) return GRAIN
  const { mean, std, low, high } = distribution
  const [a, b] = [(low - mean) / std, (high - mean) / std]
  const mass = a > 0 ? normalSf(a) - normalSf(b) : normalSf(-b) - normalSf(-a)
  return Math.min(1, Math.max(GRAIN, GRAIN / mass))
}

const noEdges = new Float32Array(0)

interface Described {
  readonly parameter: PlannedParameter
  readonly rounded?: RoundedDistribution
  readonly agreement?: Agreement | undefined
}

function tensor({ parameter, rounded, agreement }: Described, searched: boolean): MeasuredTensor {
  const { shape, elementCount, expected } = parameter
  const { mean, std } = rounded ?? expected
  const scale = Math.fround(1 / std)
  const [rows = 1] = shape
  const rowLength = elementCount / rows
  const matrix = shape.length > 1 && rows > 1 && rowLength > 1 && rowLength < 2 ** 31
  return {
    parameter,
    ...(rounded === undefined ? {} : { rounded }),
    normalisation: {
      // What a program computes has no mean that is known beforehand.
      center: Number.isFinite(mean) ? Math.fround(mean) : 0,
      scale: scale > 0 && Number.isFinite(scale) ? scale : 1,
      edges: rounded?.edges ?? noEdges,
      rowLength: matrix ? rowLength : 0,
    },
    runs: runsOf(parameter),
    ...(searched && agreement !== undefined ? { agreement } : {}),
    anchored: searched,
  }
}

/** The runs between the ranges that are zero by construction, and those. */
function runsOf(parameter: PlannedParameter): Run[] {
  const { elementCount } = parameter
  const whole = { firstElement: 0, elementCount, padding: false }
  if (parameter.patches.length === 0) return [whole]
  const job = fillJob(parameter)
  const zeros = job.patches
    .flatMap((patch) => {
      const range = patch.kind === 'range' ? clipRange(patch, job.firstElement, elementCount) : undefined
      return range === undefined ? [] : [range]
    })
    .sort((a, b) => a.first - b.first)
  const runs: Run[] = []
  let at = 0
  for (const { first, count } of [...zeros, { first: elementCount, count: 0 }]) {
    if (first > at) runs.push({ firstElement: at, elementCount: first - at, padding: false })
    if (count > 0) runs.push({ firstElement: first, elementCount: count, padding: true })
    at = Math.max(at, first + count)
  }
  return runs
}
