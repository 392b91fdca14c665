import { isFloatDType } from '../core/dtype.js'
import { clipRange } from '../fill/clip.js'
import { fillJob } from '../fill/make-job.js'
import type { PlannedParameter } from '../ir/plan.js'
import { type RoundedDistribution, roundedDistribution } from './expected/rounded-distribution.js'
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
  /** Whether copies of its elements elsewhere would be a fault. */
  readonly anchored: boolean
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
  return parameters.map((parameter) => {
    const { distribution, dtype } = parameter
    if (!isFloatDType(dtype)) return tensor(parameter, undefined)
    // Bounds may be infinite, which JSON has no word for.
    const key = `${dtype} ${Object.values(distribution).join(' ')}`
    if (!distributions.has(key)) distributions.set(key, roundedDistribution(distribution, dtype))
    return tensor(parameter, distributions.get(key))
  })
}

const noEdges = new Float32Array(0)

function tensor(parameter: PlannedParameter, rounded: RoundedDistribution | undefined): MeasuredTensor {
  const { shape, elementCount, distribution, expected } = parameter
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
    anchored:
      (rounded !== undefined && !rounded.continuous.zeroInflated) ||
      (distribution.kind === 'orthogonal' && distribution.field === 1),
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
